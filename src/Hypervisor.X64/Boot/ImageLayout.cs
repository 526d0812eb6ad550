// SPDX-License-Identifier: MIT

using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor.X64.Boot;

/// <summary>Addresses that the linker script and the assembly files define; boot/layout.asm hands them out.</summary>
public static unsafe class ImageLayout
{
    private const ulong LoadAlignment = 2UL << 20;
    private const int StartIndex = 0;
    private const int TextEndIndex = 1;
    private const int RodataEndIndex = 2;
    private const int EndIndex = 3;
    private const int FixupsStartIndex = 4;
    private const int FixupsEndIndex = 5;
    private const int TrampolineIndex = 6;
    private const int Trampoline32Index = 7;
    private const int SyscallEntryIndex = 8;
    private const int Syscall32EntryIndex = 9;
    private const int TrapStubsIndex = 10;
    private const int BootBlockIndex = 11;
    private const int NameTableIndex = 12;
    private const int NameTableEndIndex = 13;
    private const int NamesIndex = 14;
    private const int InterruptTableIndex = 15;
    private const int StartTemplateIndex = 16;
    private const int StartTemplateEndIndex = 17;
    private const int BootRootIndex = 18;
    private const int SmapPatchesStartIndex = 19;
    private const int SmapPatchesEndIndex = 20;
    private const int SmapRoutinesStartIndex = 21;
    private const int SmapRoutinesEndIndex = 22;

    public static ulong Start => Symbol(StartIndex);

    public static ulong TextEnd => Symbol(TextEndIndex);

    public static ulong RodataEnd => Symbol(RodataEndIndex);

    public static ulong End => Symbol(EndIndex);

    public static ulong* FixupsStart => (ulong*)Symbol(FixupsStartIndex);

    public static ulong* FixupsEnd => (ulong*)Symbol(FixupsEndIndex);

    public static ulong SyscallTrampoline => Symbol(TrampolineIndex);

    public static ulong Syscall32Trampoline => Symbol(Trampoline32Index);

    public static ulong SyscallEntry => Symbol(SyscallEntryIndex);

    public static ulong Syscall32Entry => Symbol(Syscall32EntryIndex);

    public static ulong* TrapStubs => (ulong*)Symbol(TrapStubsIndex);

    /// <summary>The memory of CPU 0's block.</summary>
    public static ulong BootBlock => Symbol(BootBlockIndex);

    /// <summary>Names of the image's methods (<see cref="MethodNames"/>).</summary>
    public static MethodNameEntry* NameTable => (MethodNameEntry*)Symbol(NameTableIndex);

    public static MethodNameEntry* NameTableEnd => (MethodNameEntry*)Symbol(NameTableEndIndex);

    public static byte* Names => (byte*)Symbol(NamesIndex);

    /// <summary>The IDT that all CPUs share.</summary>
    public static ulong* InterruptTable => (ulong*)Symbol(InterruptTableIndex);

    /// <summary>Code that other CPUs begin with (boot/ap.asm).</summary>
    public static ulong StartTemplate => Symbol(StartTemplateIndex);

    public static ulong StartTemplateEnd => Symbol(StartTemplateEndIndex);

    /// <summary>Root of the tables that the boot stub made: they map the first 4 GiB where they are.</summary>
    public static ulong BootRoot => Symbol(BootRootIndex);

    /// <summary>Tables of <see cref="Hypervisor.Core.Boot.SmapPatches"/>.</summary>
    public static ulong* SmapPatchesStart => (ulong*)Symbol(SmapPatchesStartIndex);

    public static ulong* SmapPatchesEnd => (ulong*)Symbol(SmapPatchesEndIndex);

    public static ulong* SmapRoutinesStart => (ulong*)Symbol(SmapRoutinesStartIndex);

    public static ulong* SmapRoutinesEnd => (ulong*)Symbol(SmapRoutinesEndIndex);

    /// <summary>How far from where it was linked to the boot loader has put the image.</summary>
    public static ulong LoadOffset { get; set; }

    /// <summary>The physical address of the image's first byte.</summary>
    public static ulong LoadAddress => PhysicalOf(Start) & ~(LoadAlignment - 1);

    /// <summary>Where in memory an address of the image is.</summary>
    public static ulong PhysicalOf(ulong address) => address - MemoryLayout.ImageBase + LoadOffset;

    private static ulong Symbol(int index) => GetSymbols()[index];

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "image_symbols")]
    private static extern ulong* GetSymbols();
}
