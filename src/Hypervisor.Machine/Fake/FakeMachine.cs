// SPDX-License-Identifier: MIT
// The machine of host tests. Machine has the same members as the x86-64 one; what they do and leave behind is here.
//
// A thread has a machine of its own, so that tests run side by side; it is made at the first use or by Reset. A
// test that wants two CPUs at work at once starts a second thread and lets it Join the first one's machine.
// Time stands still unless the test advances it, but for the idle loop: it jumps to the armed timer.

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Hypervisor;

/// <summary>Sets up and inspects the fake machine of the running thread.</summary>
public sealed unsafe class FakeMachine
{
    public const ulong DefaultMemory = 4 << 20;

    /// <summary>Turns of a waiting loop after which a test is told that it hangs.</summary>
    public const int SpinLimit = 10_000_000;

    /// <summary>Distance to a flush clock that nobody has reached yet.</summary>
    internal const uint MuchLater = 1 << 20;

    private const int FrameTableEntry = 32;

    [ThreadStatic]
    private static FakeMachine s_current;

    [ThreadStatic]
    private static uint s_cpu;

    private readonly FakeCpu[] _cpus;
    private readonly void* _memoryBlock;
    private readonly void* _frameTable;
    private readonly void* _machineToPhysical;
    private readonly void* _cpuBlock;
    private readonly StringBuilder _console = new();
    private long _tsc;

    private FakeMachine(ulong memory, uint cpus)
    {
        MemorySize = (memory + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;
        ulong frames = MemorySize >> MemoryLayout.PageShift;

        _memoryBlock = NativeMemory.AllocZeroed((nuint)(MemorySize + MemoryLayout.PageSize));
        Memory = (byte*)(((ulong)_memoryBlock + MemoryLayout.PageMask) & ~MemoryLayout.PageMask);
        _frameTable = NativeMemory.AllocZeroed((nuint)frames, FrameTableEntry);
        _machineToPhysical = NativeMemory.AllocZeroed((nuint)frames, sizeof(ulong));

        // Each CPU's block is followed by the page of entries that would map it.
        nuint stride = (nuint)((1UL << MemoryLayout.PerCpuShift) + MemoryLayout.PageSize);
        _cpuBlock = NativeMemory.AllocZeroed((stride * cpus) + (nuint)MemoryLayout.PageSize);
        byte* first = (byte*)(((ulong)_cpuBlock + MemoryLayout.PageMask) & ~MemoryLayout.PageMask);
        _cpus = new FakeCpu[cpus];
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            _cpus[cpu] = new FakeCpu(cpu, first + (stride * cpu));
        }

        OnlineCpus = cpus;
    }

    ~FakeMachine()
    {
        NativeMemory.Free(_memoryBlock);
        NativeMemory.Free(_frameTable);
        NativeMemory.Free(_machineToPhysical);
        NativeMemory.Free(_cpuBlock);
    }

    /// <summary>The running thread's machine.</summary>
    public static FakeMachine Current => s_current ??= new FakeMachine(DefaultMemory, 1);

    /// <summary>The processor that the running thread plays.</summary>
    public static FakeCpu Cpu => Current._cpus[s_cpu];

    /// <summary>Size of the physical memory, whole pages.</summary>
    public ulong MemorySize { get; }

    /// <summary>Where physical address 0 is.</summary>
    public byte* Memory { get; }

    public void* FrameTable => _frameTable;

    public ulong* MachineToPhysical => (ulong*)_machineToPhysical;

    public uint CpuCount => (uint)_cpus.Length;

    public uint OnlineCpus { get; set; }

    public LogLevel LogThreshold { get; set; } = LogLevel.Debug;

    /// <summary>What was printed.</summary>
    public string Console
    {
        get
        {
            lock (_console)
            {
                return _console.ToString();
            }
        }
    }

    /// <summary>Registers of CPUID by leaf and subleaf: EAX, EBX, ECX, EDX. A leaf that is not here reads as
    /// zero.</summary>
    public Dictionary<(uint Leaf, uint Subleaf), (uint Eax, uint Ebx, uint Ecx, uint Edx)> CpuidLeaves { get; } = [];

    /// <summary>What reads of a port give; a port that is not here reads as all ones.</summary>
    public Dictionary<ushort, uint> PortValues { get; } = [];

    public List<PortAccess> PortWrites { get; } = [];

    /// <summary>A device behind ports: gives the value of a read, or null where the port is not its.</summary>
    public Func<ushort, uint?> OnPortRead { get; set; }

    public Action<ushort, uint> OnPortWrite { get; set; }

    public uint ConsoleRoom { get; set; } = uint.MaxValue;

    public ulong ConsolePollDelay { get; set; }

    /// <summary>CPUs that were sent an NMI.</summary>
    public List<uint> Nmis { get; } = [];

    /// <summary>Requests to other CPUs to flush their translations.</summary>
    public int RemoteFlushes { get; set; }

    /// <summary>Stands in for the interrupt that such a request is. Without it the other CPU flushes at
    /// once.</summary>
    public Action<uint> OnFlushRequest { get; set; }

    /// <summary>Stands in for EFI's runtime services: function, address of five arguments; returns the
    /// status.</summary>
    public Func<ulong, nint, ulong> OnFirmwareCall { get; set; }

    public bool IsEnding { get; set; }

    public int CacheWriteBacks { get; set; }

    /// <summary>Stands in for what happens on other CPUs while this one waits.</summary>
    public Action OnSpinWait { get; set; }

    /// <summary>Stands in for the interrupt that ends the idle state. Without it, time jumps to the armed
    /// timer.</summary>
    public Action OnIdle { get; set; }

    /// <summary>Stands in for the interrupts that a preemption point serves.</summary>
    public Action OnInterruptWindow { get; set; }

    public Action<uint> OnKick { get; set; }

    /// <summary>Told of each load of CR3, with which the CPU forgets all translations.</summary>
    public Action<uint> OnRootLoaded { get; set; }

    /// <summary>Guests see physical memory itself, whatever root they have loaded.</summary>
    public bool IsGuestMemoryPhysical { get; set; }

    /// <summary>The time stamp counter, the same on all CPUs.</summary>
    public ulong Tsc
    {
        get => (ulong)System.Threading.Volatile.Read(ref _tsc);
        set => System.Threading.Volatile.Write(ref _tsc, (long)value);
    }

    /// <summary>Begins anew: zeroed memory, <paramref name="cpus"/> processors of which number 0 runs.</summary>
    public static FakeMachine Reset(ulong memory = DefaultMemory, uint cpus = 1)
    {
        s_current = new FakeMachine(memory, cpus);
        s_cpu = 0;
        return s_current;
    }

    /// <summary>Lets the running thread play processor <paramref name="cpu"/> of a machine that another thread
    /// made.</summary>
    public static void Join(FakeMachine machine, uint cpu)
    {
        s_current = machine;
        RunOn(cpu);
    }

    /// <summary>From now on the running thread plays processor <paramref name="cpu"/>.</summary>
    public static void RunOn(uint cpu)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(cpu, Current.CpuCount);
        s_cpu = cpu;
    }

    public FakeCpu CpuOf(uint cpu) => _cpus[cpu];

    public void AdvanceTsc(ulong ticks) => _ = System.Threading.Interlocked.Add(ref _tsc, (long)ticks);

    public void ClearConsole()
    {
        lock (_console)
        {
            _ = _console.Clear();
        }
    }

    internal void Print(ReadOnlySpan<byte> text)
    {
        lock (_console)
        {
            _ = _console.Append(Encoding.Latin1.GetString(text));
        }
    }

    /// <summary>The place of a physical address; one past the end is still a place.</summary>
    internal byte* At(ulong physicalAddress) =>
        physicalAddress <= MemorySize
            ? Memory + physicalAddress
            : throw new HypervisorPanicException($"Direct map of {physicalAddress:x}, beyond {MemorySize:x}");

    /// <summary>
    /// Physical address behind a guest's virtual one, or null: a walk of four levels from CR3 that wants every entry
    /// present, user and, for a write, writable, and marks them as the processor does. While CR3 is zero, guests see
    /// physical memory itself.
    ///</summary>
    internal ulong? Translate(ulong address, bool isWrite)
    {
        const ulong Present = 1, Writable = 2, User = 4, Accessed = 0x20, Dirty = 0x40, Large = 0x80;
        const ulong FrameMask = 0x000F_FFFF_FFFF_F000;

        ulong root = Cpu.Cr3 & FrameMask;
        if (root == 0 || IsGuestMemoryPhysical)
        {
            return address < MemorySize ? address : null;
        }

        if ((ulong)((long)(address << 16) >> 16) != address)
        {
            return null;
        }

        ulong table = root;
        for (int shift = 39; ; shift -= 9)
        {
            if (table >= MemorySize)
            {
                return null;
            }

            ulong* entry = (ulong*)At(table) + (address >> shift & 511);
            ulong needed = Present | User | (isWrite ? Writable : 0);
            if ((*entry & needed) != needed)
            {
                return null;
            }

            bool isLeaf = shift == 12 || (shift <= 30 && (*entry & Large) != 0);
            *entry |= Accessed | (isLeaf && isWrite ? Dirty : 0);
            if (isLeaf)
            {
                ulong offsetMask = (1UL << shift) - 1;
                ulong physical = (*entry & FrameMask & ~offsetMask) | (address & offsetMask);
                return physical < MemorySize ? physical : null;
            }

            table = *entry & FrameMask;
        }
    }

    /// <summary>Copies page by page until done or a page is missing; gives the bytes that remain.</summary>
    internal nuint CopyGuest(ulong address, byte* own, nuint length, bool isWrite)
    {
        StepPoints.Pass();
        while (length != 0)
        {
            if (Translate(address, isWrite) is not ulong physical)
            {
                break;
            }

            nuint part = (nuint)(MemoryLayout.PageSize - (address & MemoryLayout.PageMask));
            part = part < length ? part : length;
            byte* guest = At(physical);
            Buffer.MemoryCopy(isWrite ? own : guest, isWrite ? guest : own, part, part);
            address += part;
            own += part;
            length -= part;
        }

        return length;
    }
}
