// SPDX-License-Identifier: MIT
// Segment descriptors, gates and the task state of a CPU (Intel SDM Vol. 3A §3.4.5, §6.14.1, §7.7). The GDT's last frame is the CPU's
// own: selectors E008h to E050h; guests' frames are mapped below it.

using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.X64.Boot;

namespace Hypervisor.X64.Descriptors;

/// <summary>GDT, IDT, TSS and the system-call registers of one CPU.</summary>
public static unsafe class DescriptorSetup
{
    private const ushort CodeSelector = 0xE008;
    private const ushort TaskSelector = 0xE040;
    private const ushort LocalTableSelector = 0xE050;
    private const ulong GdtFrameOffset = 0xE000;
    private const ulong TaskStateOffset = 0x100;
    private const int TaskStateSize = 104;
    private const ulong GuestUserSelectorBase = 0xE023;
    private const uint SyscallMask = (uint)(Rflags.Ac | Rflags.Vm | Rflags.Rf | Rflags.Nt | Rflags.Df | Rflags.If | Rflags.Tf);

    /// <summary>
    /// Fills the IDT that all CPUs share and loads it on the first one, as early as there is a console: from here on a
    /// fault of the boot code is a panic with registers and not a reset. No task state yet, so no stacks of their own.
    /// </summary>
    public static void BuildIdt()
    {
        ulong* gate = ImageLayout.InterruptTable;
        for (int vector = 0; vector < 256; vector++)
        {
            ulong stub = ImageLayout.TrapStubs[vector];
            int privilege = vector is Vector.Breakpoint or Vector.Overflow ? 3 : 0;
            gate[0] = (stub & 0xFFFF) | ((ulong)CodeSelector << 16) | (0x8EUL << 40) | ((ulong)privilege << 45)
                | (((stub >> 16) & 0xFFFF) << 48);
            gate[1] = stub >> 32;
            gate += 2;
        }

        LoadPointer((ulong)ImageLayout.InterruptTable, 4095, isIdt: true);
    }

    /// <summary>Loads everything on the running CPU, whose block is mapped at <paramref name="block"/>.</summary>
    public static void Load(ulong block)
    {
        byte* gdt = (byte*)(block + MemoryLayout.PerCpuGdt + GdtFrameOffset);
        ulong task = block + MemoryLayout.PerCpuData + TaskStateOffset;
        Set(gdt, 0x08, 0x00AF9B000000FFFF);
        Set(gdt, 0x10, 0x00CF93000000FFFF);
        Set(gdt, 0x20, 0x00CFFB000000FFFF);
        Set(gdt, 0x28, 0x00CFF3000000FFFF);
        Set(gdt, 0x30, 0x00AFFB000000FFFF);
        SetSystem(gdt, 0x40, task, TaskStateSize - 1, 0x89);

        byte* state = (byte*)task;
        *(ulong*)(state + 4) = block + MemoryLayout.PerCpuInfo + CpuInfo.GuestOffset + 168;
        *(ulong*)(state + 36) = block + MemoryLayout.PerCpuDebugStackTop;
        *(ulong*)(state + 44) = block + MemoryLayout.PerCpuNmiStackTop;
        *(ulong*)(state + 52) = block + MemoryLayout.PerCpuDoubleFaultStackTop;
        *(ulong*)(state + 60) = block + MemoryLayout.PerCpuMachineCheckStackTop;
        *(ushort*)(state + 102) = 0xFFFF;

        LoadPointer(block + MemoryLayout.PerCpuGdt, 0xEFFF, isIdt: false);
        LoadPointer((ulong)ImageLayout.InterruptTable, 4095, isIdt: true);
        ReloadSelectors();
        Machine.LoadTaskRegister(TaskSelector);
        SetStack(Vector.Debug, 1);
        SetStack(Vector.Nmi, 2);
        SetStack(Vector.DoubleFault, 3);
        SetStack(Vector.MachineCheck, 4);
        Machine.LoadLdt(0);

        ulong* entries = (ulong*)(block + MemoryLayout.PerCpuData);
        entries[0] = ImageLayout.SyscallEntry;
        entries[1] = ImageLayout.Syscall32Entry;
        ulong trampoline = block + MemoryLayout.PerCpuSyscallCode;
        Machine.WriteMsr(Msr.Star, (GuestUserSelectorBase << 48) | ((ulong)CodeSelector << 32));
        Machine.WriteMsr(Msr.Lstar, trampoline);
        Machine.WriteMsr(Msr.Cstar, trampoline + (ImageLayout.Syscall32Trampoline - ImageLayout.SyscallTrampoline));
        Machine.WriteMsr(Msr.Fmask, SyscallMask);

        // SYSENTER has no use here: a null code selector makes it a #GP of the guest.
        _ = Machine.TryWriteMsr(Msr.SysenterCs, 0);
    }

    /// <summary>The LDT descriptor of the running CPU.</summary>
    [RuntimeExport("machine_set_ldt")]
    public static void SetLocalTable(ulong address, uint entries)
    {
        if (entries == 0)
        {
            Machine.LoadLdt(0);
            return;
        }

        SetSystem(
            (byte*)(Machine.PerCpuBlock + MemoryLayout.PerCpuGdt + GdtFrameOffset), 0x50, address, (entries * 8) - 1, 0x82);
        Machine.LoadLdt(LocalTableSelector);
    }

    /// <summary>Lets a vector use a stack of the task state (IST).</summary>
    private static void SetStack(int vector, ulong stack) =>
        ImageLayout.InterruptTable[vector * 2] = (ImageLayout.InterruptTable[vector * 2] & ~(7UL << 32)) | (stack << 32);

    private static void Set(byte* gdt, int offset, ulong descriptor) => *(ulong*)(gdt + offset) = descriptor;

    private static void SetSystem(byte* gdt, int offset, ulong address, uint limit, ulong type)
    {
        Set(
            gdt,
            offset,
            (limit & 0xFFFF) | ((address & 0xFFFFFF) << 16) | (type << 40) | ((ulong)(limit >> 16) << 48)
                | (((address >> 24) & 0xFF) << 56));
        Set(gdt, offset + 8, address >> 32);
    }

    private static void LoadPointer(ulong address, ushort limit, bool isIdt)
    {
        TablePointer pointer;
        *(ushort*)((byte*)&pointer + 6) = limit;
        pointer.Address = address;
        byte* operand = (byte*)&pointer + 6;
        if (isIdt)
        {
            Machine.LoadIdt(operand);
        }
        else
        {
            Machine.LoadGdt(operand);
        }
    }

    private struct TablePointer
    {
        public ulong Limit;
        public ulong Address;
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_reload_selectors")]
    private static extern void ReloadSelectors();
}
