// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Xt.Debian;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// One running machine for each hypervisor, shared by tests that leave it as they found it: booting takes longer than
/// most of them. A test that failed may have left anything behind, so the machine goes with it.
/// </summary>
public sealed class SessionPool : IDisposable
{
    private static readonly TimeSpan s_bootLimit = TimeSpan.FromSeconds(180);

    private readonly Dictionary<HypervisorKind, Dom0Session> _sessions = [];

    /// <summary>Lets the test use the machine; any exception ends the machine.</summary>
    public void Use(HypervisorKind hypervisor, Action<Dom0Session> test)
    {
        if (!_sessions.TryGetValue(hypervisor, out Dom0Session? session))
        {
            MachineOptions options = WithDevices(new MachineOptions
            {
                Hypervisor = hypervisor,
                HypervisorArguments = DebiansXen.Arguments(hypervisor),
            });
            session = Dom0Session.Boot(options, $"image-{hypervisor}", s_bootLimit);
            _sessions.Add(hypervisor, session);
        }

        try
        {
            test(session);
        }
        catch
        {
            _ = _sessions.Remove(hypervisor);
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Three disks with a guest's Debian on each (/dev/vda, vdb and vdc), whose changes go with the machine, and a card in
    /// QEMU's user network, in which the host is 10.0.2.2.
    /// </summary>
    private static MachineOptions WithDevices(MachineOptions options) => options with
    {
        Drives =
        [
            .. Enumerable.Repeat($"file={DebianGuest.Disk()},if=virtio,format=raw,snapshot=on", 3),
        ],
        QemuArguments = ["-netdev", "user,id=world", "-device", "virtio-net-pci,netdev=world,mac=52:54:00:00:00:01"],
    };

    public void Dispose()
    {
        foreach (Dom0Session session in _sessions.Values)
        {
            session.Dispose();
        }
    }
}

/// <summary>Tests that share the machines of a <see cref="SessionPool"/> run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class SessionCollection : ICollectionFixture<SessionPool>
{
    public const string Name = "shared machines";
}

/// <summary>What <see cref="XendTests"/> share: machines of their own, so that they run beside the others.</summary>
[CollectionDefinition(Name)]
public sealed class XendCollection : ICollectionFixture<SessionPool>
{
    public const string Name = "shared machines for xend";
}
