// SPDX-License-Identifier: MIT

using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor;

/// <summary>The machine that the hypervisor runs on: an x86-64 processor. One leaf routine of boot/cpu.asm per import.</summary>
public static unsafe partial class Machine
{
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_in8")]
    public static extern byte In8(ushort port);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_in16")]
    public static extern ushort In16(ushort port);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_in32")]
    public static extern uint In32(ushort port);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_out8")]
    public static extern void Out8(ushort port, byte value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_out16")]
    public static extern void Out16(ushort port, ushort value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_out32")]
    public static extern void Out32(ushort port, uint value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_cpuid")]
    public static extern void Cpuid(uint leaf, uint subleaf, uint* registers);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_rdmsr")]
    public static extern ulong ReadMsr(uint msr);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_wrmsr")]
    public static extern void WriteMsr(uint msr, ulong value);

    /// <summary>False where the processor refuses the register.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_rdmsr_safe")]
    public static extern bool TryReadMsr(uint msr, ulong* value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_wrmsr_safe")]
    public static extern bool TryWriteMsr(uint msr, ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_rdtsc")]
    public static extern ulong ReadTsc();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_cr0")]
    public static extern ulong ReadCr0();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_write_cr0")]
    public static extern void WriteCr0(ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_cr2")]
    public static extern ulong ReadCr2();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_cr3")]
    public static extern ulong ReadCr3();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_write_cr3")]
    public static extern void WriteCr3(ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_cr4")]
    public static extern ulong ReadCr4();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_write_cr4")]
    public static extern void WriteCr4(ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_dr")]
    public static extern ulong ReadDebugRegister(int number);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_write_dr")]
    public static extern void WriteDebugRegister(int number, ulong value);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_invlpg")]
    public static extern void InvalidatePage(ulong address);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_pause")]
    public static extern void Pause();

    /// <summary>All earlier loads and stores are done before any later instruction: for writes of MSRs that wait for
    /// nothing.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_fence")]
    public static extern void Fence();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_lgdt")]
    public static extern void LoadGdt(void* pointer);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_lidt")]
    public static extern void LoadIdt(void* pointer);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_lldt")]
    public static extern void LoadLdt(ushort selector);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_ltr")]
    public static extern void LoadTaskRegister(ushort selector);

    /// <summary>Enables interrupts until one has been served or none was waiting: a preemption point.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_interrupt_window")]
    public static extern void InterruptWindow();

    /// <summary>Sleeps with interrupts enabled until one has been served; returns with them disabled.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_idle")]
    public static extern void Idle();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_halt_forever")]
    public static extern void HaltForever();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_clts")]
    public static extern void ClearTaskSwitched();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_wbinvd")]
    public static extern void WriteBackCaches();

    /// <summary>Exchanges the GS bases and loads CR3: from guest kernel to guest user mode or back. Returns <see cref="Cpu"/>.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_switch_guest_mode")]
    public static extern CpuInfo* SwitchGuestMode(ulong cr3);

    /// <summary>Saves x87 and vector state into <paramref name="area"/>: XSAVE of <paramref name="mask"/>, or FXSAVE where it
    /// is 0; the registers that the image's code uses come from <paramref name="vectors"/>.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_save_extended_state")]
    public static extern void SaveExtendedState(void* area, ulong mask, ulong* vectors);

    /// <summary>The way back; <paramref name="vectors"/> receives the registers that the image's code uses. An area that the
    /// processor refuses is replaced by the reset state.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_restore_extended_state")]
    public static extern void RestoreExtendedState(void* area, ulong mask, ulong* vectors);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_xsetbv")]
    public static extern void WriteXcr0(ulong value);

    /// <summary>Index of the lowest set bit; <paramref name="value"/> is not zero.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_bsf")]
    public static extern int LowestBit(ulong value);

    /// <summary>Index of the highest set bit; <paramref name="value"/> is not zero.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_bsr")]
    public static extern int HighestBit(ulong value);

    /// <summary>(<paramref name="a"/> × <paramref name="b"/>) ÷ 2³², over 128 bits.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_multiply_shift32")]
    public static extern ulong MultiplyShift32(ulong a, ulong b);

    /// <summary>(<paramref name="high"/>·2⁶⁴ + <paramref name="low"/>) ÷ <paramref name="divisor"/>; high is less than divisor.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_divide128")]
    public static extern ulong Divide128(ulong high, ulong low, ulong divisor);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "memzero")]
    public static extern void Zero(void* target, nuint length);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "memmove")]
    public static extern void Copy(void* target, void* source, nuint length);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "memcmp_equal")]
    public static extern bool Equal(void* left, void* right, nuint length);

    /// <summary>Atomically sets bit <paramref name="bit"/> of the bitmap; true when it was set already.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_test_and_set_bit")]
    public static extern bool TestAndSetBit(void* bitmap, ulong bit);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_test_and_clear_bit")]
    public static extern bool TestAndClearBit(void* bitmap, ulong bit);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_ds")]
    public static extern ushort ReadDs();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_es")]
    public static extern ushort ReadEs();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_fs")]
    public static extern ushort ReadFs();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_read_gs")]
    public static extern ushort ReadGs();

    /// <summary>Loads a selector; false, with a null selector loaded, where the processor refuses.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_load_ds")]
    public static extern bool LoadDs(ushort selector);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_load_es")]
    public static extern bool LoadEs(ushort selector);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_load_fs")]
    public static extern bool LoadFs(ushort selector);

    /// <summary>Loads GS of guest user mode while its kernel runs: the base behind SWAPGS changes, the one in use does not.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_load_gs")]
    public static extern bool LoadGs(ushort selector);

    /// <summary>Loads GS with the base that is in use.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_load_gs_current")]
    public static extern bool LoadGsCurrent(ushort selector);

    /// <summary>The block at the top of the running CPU's stack region.</summary>
    public static CpuInfo* Cpu
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => GetCpuInfo();
    }

    /// <summary>The block of CPU <paramref name="cpu"/>, which is online.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CpuInfo* CpuOf(uint cpu) =>
        (CpuInfo*)(MemoryLayout.PerCpuBase + ((ulong)cpu << MemoryLayout.PerCpuShift) + MemoryLayout.PerCpuInfo);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RaiseSoftIrq(uint bits) => GetCpuInfo()->SoftIrqPending |= bits;

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_info")]
    private static extern CpuInfo* GetCpuInfo();
}
