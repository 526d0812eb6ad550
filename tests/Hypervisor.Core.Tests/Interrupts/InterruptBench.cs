// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Pci;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Interrupts;

/// <summary>
/// A machine with 24 pins, Domain-0 and one guest, and a PCI function. The interrupt table is static: all tests of it
/// are in one collection.
/// </summary>
internal sealed unsafe class InterruptBench : IDisposable
{
    public const uint DeviceLatch = 0x00_0300; // bus 0, device 0, function 3
    public const int MsiAt = 0x40;
    public const int MsiXAt = 0x70;
    public const ulong Table = 0x200000;
    public const ulong Argument = 0x10000;
    public const ulong Unmapped = 0x7FFF_0000_0000;

    private readonly void* _table;
    private readonly ulong* _slots = (ulong*)NativeMemory.AllocZeroed(DomainTable.Size, sizeof(ulong));

    public InterruptBench()
    {
        Machine = FakeMachine.Reset();
        Controllers = FakeInterrupts.Reset();
        _table = NativeMemory.AllocZeroed((nuint)IrqTable.MemorySize);
        FrameTable.Initialise(0, 46);
        ReadOnlyDeviceMemory.Initialise();
        IrqTable.Initialise(_table);
        DomainTable.Initialise(_slots);
        Dom0 = MakeDomain(0, isPrivileged: true);
        Guest = MakeDomain(3, isPrivileged: false);
        Vcpu = (Vcpu*)NativeMemory.AllocZeroed((nuint)sizeof(Vcpu));
        Vcpu->Domain = Dom0;
        Controllers.PciFunctions[DeviceLatch] = Space = MakeFunction();
    }

    public FakeMachine Machine { get; }

    public FakeInterrupts Controllers { get; }

    public Domain* Dom0 { get; }

    public Domain* Guest { get; }

    public Vcpu* Vcpu { get; }

    /// <summary>The function's configuration space: MSI with mask and 64-bit address at 40h, MSI-X with four entries
    /// at 70h.</summary>
    public byte[] Space { get; }

    public static PciAddress Device => new(0, 0, 3);

    public uint* TableEntry(int entry) => (uint*)(Machine.Memory + Table + 0x800 + (16 * entry));

    public void Put<T>(T value)
        where T : unmanaged => *(T*)(Machine.Memory + Argument) = value;

    public T Get<T>()
        where T : unmanaged => *(T*)(Machine.Memory + Argument);

    public long Call(PhysDevCommand command, ulong argument = Argument)
    {
        CpuUserRegs frame;
        return PhysDevOps.Dispatch(Vcpu, (uint)command, argument, &frame).Raw;
    }

    public void Dispose()
    {
        FrameTable.Initialise(0, 46);
        ReadOnlyDeviceMemory.Initialise();
        IrqTable.Initialise(_table);
        NativeMemory.Free(Vcpu);
        NativeMemory.Free(Dom0);
        NativeMemory.Free(Guest);
    }

    private Domain* MakeDomain(ushort id, bool isPrivileged)
    {
        Domain* domain = (Domain*)NativeMemory.AllocZeroed((nuint)sizeof(Domain));
        domain->Id = id;
        domain->IsPrivileged = isPrivileged;
        domain->References = 1;
        _ = DomainTable.TryAdd(domain);
        return domain;
    }

    private static byte[] MakeFunction()
    {
        byte[] space = new byte[256];
        BitConverter.TryWriteBytes(space.AsSpan(0), 0x1237_8086);
        space[4] = 2;
        space[6] = 0x10;
        BitConverter.TryWriteBytes(space.AsSpan(0x14), (uint)Table | 4);
        space[0x34] = MsiAt;
        space[MsiAt] = 5;
        space[MsiAt + 1] = MsiXAt;
        space[MsiAt + 2] = 0x80;
        space[MsiAt + 3] = 1;
        space[MsiXAt] = 0x11;
        space[MsiXAt + 2] = 3;
        BitConverter.TryWriteBytes(space.AsSpan(MsiXAt + 4), 0x800 | 1);
        return space;
    }
}
