// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;

namespace Hypervisor;

/// <summary>The machine that host tests run on; see <see cref="FakeMachine"/>.</summary>
public static unsafe partial class Machine
{
    private const int LegacyAreaLength = 512;
    private const int XsaveHeaderLength = 64;

    /// <summary>Where the legacy area has XMM0.</summary>
    private const int FirstVector = 160;
    private const int VectorLength = 16;

    /// <summary>Numbers of the vector registers that the image's code may use.</summary>
    private static ReadOnlySpan<byte> ImageVectors => [0, 1, 2, 8];

    public static CpuInfo* Cpu => FakeMachine.Cpu.Info;

    public static byte In8(ushort port) => (byte)In(port);

    public static ushort In16(ushort port) => (ushort)In(port);

    public static uint In32(ushort port) => In(port);

    public static void Out8(ushort port, byte value) => Out(port, 1, value);

    public static void Out16(ushort port, ushort value) => Out(port, 2, value);

    public static void Out32(ushort port, uint value) => Out(port, 4, value);

    public static void Cpuid(uint leaf, uint subleaf, uint* registers)
    {
        (uint eax, uint ebx, uint ecx, uint edx) =
            FakeMachine.Current.CpuidLeaves.GetValueOrDefault((leaf, subleaf));
        registers[0] = eax;
        registers[1] = ebx;
        registers[2] = ecx;
        registers[3] = edx;
    }

    public static ulong ReadMsr(uint msr)
    {
        ulong value;
        return TryReadMsr(msr, &value)
            ? value
            : throw new HypervisorPanicException($"RDMSR of {msr:x}, which the fake machine does not have");
    }

    public static void WriteMsr(uint msr, ulong value) => FakeMachine.Cpu.Msrs[msr] = value;

    public static bool TryReadMsr(uint msr, ulong* value)
    {
        FakeMachine.Cpu.OnReadMsr?.Invoke(msr);
        bool exists = FakeMachine.Cpu.Msrs.TryGetValue(msr, out ulong found);
        *value = found;
        return exists;
    }

    public static bool TryWriteMsr(uint msr, ulong value)
    {
        if (!FakeMachine.Cpu.Msrs.ContainsKey(msr))
        {
            return false;
        }

        FakeMachine.Cpu.Msrs[msr] = value;
        return true;
    }

    public static ulong ReadTsc() => FakeMachine.Current.Tsc;

    public static ulong ReadCr0() => FakeMachine.Cpu.Cr0;

    public static void WriteCr0(ulong value) => FakeMachine.Cpu.Cr0 = value;

    public static ulong ReadCr2() => FakeMachine.Cpu.Cr2;

    public static ulong ReadCr3() => FakeMachine.Cpu.Cr3;

    public static void WriteCr3(ulong value)
    {
        StepPoints.Pass();
        FakeMachine.Cpu.Cr3 = value;
        FakeMachine.Cpu.Cr3Writes++;
        FakeMachine.Current.OnRootLoaded?.Invoke(FakeMachine.Cpu.Number);
    }

    public static ulong ReadCr4() => FakeMachine.Cpu.Cr4;

    public static void WriteCr4(ulong value) => FakeMachine.Cpu.Cr4 = value;

    public static ulong ReadDebugRegister(int number) => FakeMachine.Cpu.DebugRegisters[number];

    public static void WriteDebugRegister(int number, ulong value) => FakeMachine.Cpu.DebugRegisters[number] = value;

    public static void InvalidatePage(ulong address) => FakeMachine.Cpu.InvalidatedPages.Add(address);

    public static void Pause() => FakeMachine.Cpu.Pauses++;

    public static void Fence()
    {
        Interlocked.MemoryBarrier();
        FakeMachine.Cpu.Fences++;
    }

    public static void LoadGdt(void* pointer) => FakeMachine.Cpu.Gdt = (ulong)pointer;

    public static void LoadIdt(void* pointer) => FakeMachine.Cpu.Idt = (ulong)pointer;

    public static void LoadLdt(ushort selector) => FakeMachine.Cpu.Ldt = selector;

    public static void LoadTaskRegister(ushort selector) => FakeMachine.Cpu.TaskRegister = selector;

    public static void InterruptWindow()
    {
        FakeMachine.Cpu.InterruptWindows++;
        FakeMachine.Current.OnInterruptWindow?.Invoke();
    }

    public static void Idle()
    {
        FakeMachine machine = FakeMachine.Current;
        FakeCpu cpu = FakeMachine.Cpu;
        cpu.Idles++;
        if (machine.OnIdle != null)
        {
            machine.OnIdle();
        }
        else if (cpu.ArmedTimer != 0)
        {
            machine.Tsc = Math.Max(machine.Tsc, cpu.ArmedTimer);
            cpu.ArmedTimer = 0;
            RaiseSoftIrq(SoftIrq.Timer);
        }
        else
        {
            throw new HypervisorPanicException("Idle for ever: no timer is armed");
        }
    }

    public static void HaltForever() => throw new HypervisorPanicException("Halted");

    public static void ClearTaskSwitched() => FakeMachine.Cpu.Cr0 &= ~Cr0.Ts;

    public static void WriteBackCaches() => FakeMachine.Current.CacheWriteBacks++;

    public static CpuInfo* SwitchGuestMode(ulong cr3)
    {
        FakeMachine.Cpu.SwapGsCount++;
        ulong active = FakeMachine.Cpu.Msrs.GetValueOrDefault(Msr.GsBase);
        FakeMachine.Cpu.Msrs[Msr.GsBase] = FakeMachine.Cpu.Msrs.GetValueOrDefault(Msr.KernelGsBase);
        FakeMachine.Cpu.Msrs[Msr.KernelGsBase] = active;
        WriteCr3(cr3);
        Cpu->Cr3 = cr3;
        return Cpu;
    }

    public static void SaveExtendedState(void* area, ulong mask, ulong* vectors)
    {
        Span<byte> saved = new(area, LegacyAreaLength);
        FakeMachine.Cpu.ExtendedState.AsSpan(0, LegacyAreaLength).CopyTo(saved);
        for (int index = 0; index < ImageVectors.Length; index++)
        {
            new ReadOnlySpan<byte>(vectors + (2 * index), VectorLength)
                .CopyTo(saved[(FirstVector + (VectorLength * ImageVectors[index]))..]);
        }

        if (mask != 0)
        {
            new Span<byte>((byte*)area + LegacyAreaLength, XsaveHeaderLength).Clear();
            *(ulong*)((byte*)area + LegacyAreaLength) = mask & FakeMachine.Cpu.Xcr0;
        }
    }

    public static void RestoreExtendedState(void* area, ulong mask, ulong* vectors)
    {
        ulong* header = (ulong*)((byte*)area + LegacyAreaLength);
        bool isRefused = mask != 0
            && ((header[0] & ~FakeMachine.Cpu.Xcr0) != 0 || header[1] != 0 || header[2] != 0);
        byte[] reset = new byte[LegacyAreaLength];
        ReadOnlySpan<byte> source = isRefused ? reset : new ReadOnlySpan<byte>(area, LegacyAreaLength);
        source.CopyTo(FakeMachine.Cpu.ExtendedState);
        for (int index = 0; index < ImageVectors.Length; index++)
        {
            source.Slice(FirstVector + (VectorLength * ImageVectors[index]), VectorLength)
                .CopyTo(new Span<byte>(vectors + (2 * index), VectorLength));
        }
    }

    public static void WriteXcr0(ulong value) => FakeMachine.Cpu.Xcr0 = value;

    public static int LowestBit(ulong value) => BitOperations.TrailingZeroCount(value);

    public static int HighestBit(ulong value) => BitOperations.Log2(value);

    public static ulong MultiplyShift32(ulong a, ulong b) => (ulong)(((UInt128)a * b) >> 32);

    public static ulong Divide128(ulong high, ulong low, ulong divisor) =>
        high < divisor
            ? (ulong)(new UInt128(high, low) / divisor)
            : throw new HypervisorPanicException("Quotient of a 128-bit division does not fit");

    public static void Zero(void* target, nuint length) => NativeMemory.Clear(target, length);

    public static void Copy(void* target, void* source, nuint length) =>
        Buffer.MemoryCopy(source, target, length, length);

    public static bool Equal(void* left, void* right, nuint length) =>
        new ReadOnlySpan<byte>(left, (int)length).SequenceEqual(new ReadOnlySpan<byte>(right, (int)length));

    public static bool TestAndSetBit(void* bitmap, ulong bit)
    {
        ulong mask = 1UL << (int)(bit & 63);
        return (Interlocked.Or(ref ((ulong*)bitmap)[bit >> 6], mask) & mask) != 0;
    }

    public static bool TestAndClearBit(void* bitmap, ulong bit)
    {
        ulong mask = 1UL << (int)(bit & 63);
        return (Interlocked.And(ref ((ulong*)bitmap)[bit >> 6], ~mask) & mask) != 0;
    }

    public static ushort ReadDs() => FakeMachine.Cpu.Ds;

    public static ushort ReadEs() => FakeMachine.Cpu.Es;

    public static ushort ReadFs() => FakeMachine.Cpu.Fs;

    public static ushort ReadGs() => FakeMachine.Cpu.Gs;

    public static bool LoadDs(ushort selector)
    {
        FakeMachine.Cpu.Ds = FakeMachine.Cpu.Accept(selector, out bool accepted);
        return accepted;
    }

    public static bool LoadEs(ushort selector)
    {
        FakeMachine.Cpu.Es = FakeMachine.Cpu.Accept(selector, out bool accepted);
        return accepted;
    }

    public static bool LoadFs(ushort selector)
    {
        FakeMachine.Cpu.Fs = FakeMachine.Cpu.Accept(selector, out bool accepted);
        return accepted;
    }

    public static bool LoadGs(ushort selector)
    {
        FakeMachine.Cpu.Gs = FakeMachine.Cpu.Accept(selector, out bool accepted);
        return accepted;
    }

    public static bool LoadGsCurrent(ushort selector) => LoadGs(selector);

    public static CpuInfo* CpuOf(uint cpu) => FakeMachine.Current.CpuOf(cpu).Info;

    public static void RaiseSoftIrq(uint bits) => FakeMachine.Cpu.Info->SoftIrqPending |= bits;

    private static void Out(ushort port, int size, uint value)
    {
        FakeMachine.Current.PortWrites.Add(new(port, size, value));
        FakeMachine.Current.OnPortWrite?.Invoke(port, value);
    }

    private static uint In(ushort port) =>
        FakeMachine.Current.OnPortRead?.Invoke(port)
            ?? FakeMachine.Current.PortValues.GetValueOrDefault(port, uint.MaxValue);
}
