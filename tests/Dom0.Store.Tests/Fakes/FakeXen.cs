// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Dom0.Store.Machine;
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Tests.Fakes;

/// <summary>Domains that exist as entries in a table, and rings that are pages of this process.</summary>
public sealed unsafe class FakeXen : IXenInterface
{
    private readonly Dictionary<ushort, byte[]> _pages = [];

    /// <summary>How each domain is; one that is not here does not exist.</summary>
    public Dictionary<ushort, DomainCondition> Domains { get; } = [];

    /// <summary>Local ports that are bound, and whose they are.</summary>
    public Dictionary<uint, (ushort Domain, uint Port)> Bound { get; } = [];

    /// <summary>How many pages are mapped.</summary>
    public int Mapped { get; private set; }

    /// <summary>Events that were sent, by local port.</summary>
    public Dictionary<uint, int> Notified { get; } = [];

    public static uint LocalPort(ushort domain) => 1000u + domain;

    /// <summary>The ring's page of a domain.</summary>
    public byte[] Page(ushort domain)
    {
        if (!_pages.TryGetValue(domain, out byte[]? page))
        {
            _pages.Add(domain, page = GC.AllocateArray<byte>(4096, pinned: true));
        }

        return page;
    }

    public DomainCondition Condition(ushort domain) => Domains.GetValueOrDefault(domain, DomainCondition.Gone);

    public NativeRegion? MapRing(ushort domain, ulong frame)
    {
        if (domain != 0 && !Domains.ContainsKey(domain))
        {
            return null;
        }

        Mapped++;
        nint address = (nint)Unsafe(Page(domain));
        return new NativeRegion(address, 4096, (_, _) => Mapped--);
    }

    public uint? Bind(ushort domain, uint port)
    {
        if (domain != 0 && !Domains.ContainsKey(domain))
        {
            return null;
        }

        uint local = LocalPort(domain);
        while (Bound.ContainsKey(local))
        {
            local += 10000;
        }

        Bound.Add(local, (domain, port));
        return local;
    }

    public void Unbind(uint localPort) => Bound.Remove(localPort);

    public void Notify(uint localPort) => Notified[localPort] = Notified.GetValueOrDefault(localPort) + 1;

    public void Unmask(uint localPort)
    {
    }

    private static void* Unsafe(byte[] pinned) =>
        System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
