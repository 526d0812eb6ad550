// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Xend.Domains;

namespace Dom0.Xend.Tests;

/// <summary>Remembers which consoles are open and what was said to those who watch.</summary>
internal sealed class FakeConsoles : IConsoles
{
    public Dictionary<int, (Guid Uuid, string Name)> OpenOnes { get; } = [];

    public List<string> Notices { get; } = [];

    public string? Open(int domid, Guid uuid, string name, ulong ringFrame, uint port)
    {
        OpenOnes[domid] = (uuid, name);
        return $"/dev/pts/{domid}";
    }

    public void Close(int domid, string? notice, bool comesAgain)
    {
        _ = OpenOnes.Remove(domid);
        Notices.Add($"close {domid}: {notice}{(comesAgain ? " (again)" : "")}");
    }

    public void Rename(int domid, Guid uuid, string name)
    {
        if (OpenOnes.ContainsKey(domid))
        {
            OpenOnes[domid] = (uuid, name);
        }
    }

    public void Dismiss(int domid, string notice) => Notices.Add($"dismiss {domid}: {notice}");

    public void GiveUp(Guid uuid, string notice) => Notices.Add($"give up: {notice}");
}
