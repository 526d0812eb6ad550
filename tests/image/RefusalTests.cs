// SPDX-License-Identifier: MIT
using System;
using System.Threading;
using Xt;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// What cannot start says which and why in one sentence on the console, and then the machine stands still: no silence,
/// no triple fault, no loop of resets.
/// </summary>
public sealed class RefusalTests : IDisposable
{
    private const string Cannot = "(XEN) cannot start: ";
    private const string Border = "(XEN) ****************************************";
    private const string Halted = "(XEN) halted";
    private const string Module = Cannot + "the first module cannot be started: ";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    /// <summary>How long a machine that should stand still is watched: a reset would end QEMU.</summary>
    private static readonly TimeSpan s_standing = TimeSpan.FromSeconds(0.7);

    private static readonly MachineOptions s_machine = new()
    {
        Loader = LoaderKind.Kernel,
        MemoryMegabytes = 512,
        Dom0MemoryMegabytes = 64,
        IsModulePrivileged = true,
    };

    private readonly KernelFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(LoaderKind.Kernel)]
    [InlineData(LoaderKind.GrubMultiboot2)]
    public void No_module_at_all(LoaderKind loader) =>
        Refuses(
            s_machine with { Loader = loader, NoModules = true },
            Cannot + "no Domain-0: the boot loader passed no module; the first one must be its kernel");

    [Theory]
    [InlineData(LoaderKind.Kernel)]
    [InlineData(LoaderKind.GrubMultiboot1)]
    [InlineData(LoaderKind.GrubMultiboot2)]
    public void A_module_that_is_no_kernel(LoaderKind loader) =>
        Refuses(
            s_machine with { Loader = loader, Module = _files.Text() },
            Module + "it is neither an ELF file nor a Linux bzImage, nor packed in a known format");

    [Fact]
    public void A_module_of_one_byte() =>
        Refuses(
            s_machine with { Module = _files.Empty() },
            Module + "it is neither an ELF file nor a Linux bzImage, nor packed in a known format");

    [Fact]
    public void A_32_bit_kernel() =>
        Refuses(s_machine with { Module = Workspace.Hypervisor }, Module + "it is a 32-bit kernel");

    [Fact]
    public void A_program_without_Xens_notes() =>
        Refuses(
            s_machine with { Module = _files.Program() },
            Module + "it has no Xen ELF notes: it is not a kernel for Xen PV");

    [Fact]
    public void A_kernel_that_can_only_be_a_guest() =>
        Refuses(
            s_machine with { Module = _files.GuestOnly() },
            Module + "the kernel was not built to run as Domain-0 (its Xen notes lack the dom0 feature)");

    [Fact]
    public void A_kernel_file_that_ends_too_early() =>
        Refuses(
            s_machine with { Module = _files.TruncatedDebian() },
            Module + "its packed kernel reaches beyond the end of the file; the file may be cut off");

    [Fact]
    public void A_damaged_header_of_the_packed_kernel() =>
        Refuses(
            s_machine with { Module = _files.FlippedDebian(8) },
            Module + "an XZ header does not match its checksum");

    [Fact]
    public void Damage_inside_the_packed_kernel() =>
        // Which of two things is noticed first depends on the kernel: it "is corrupt", or it "refers to bytes before…".
        Refuses(s_machine with { Module = _files.FlippedDebian(100_000) }, Module + "the LZMA2 data ");

    [Fact]
    public void Too_little_memory_for_Domain_0() =>
        Refuses(
            s_machine with { Module = _files.SmallKernel(), Dom0MemoryMegabytes = 4 },
            Module + "dom0_mem is too small for the kernel, its RAM disk and its tables");

    [Fact]
    public void A_machine_too_small_for_Debian() =>
        Refuses(new MachineOptions { Loader = LoaderKind.Kernel, MemoryMegabytes = 64 }, Cannot + "too little memory: ");

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void A_machine_too_small_for_anything(int megabytes) =>
        Refuses(
            s_machine with { Module = _files.SmallKernel(), MemoryMegabytes = megabytes, Dom0MemoryMegabytes = 32 },
            Cannot + "too little memory: ");

    [Fact]
    public void A_processor_without_long_mode()
    {
        using SerialLine line = Boot(s_machine with { NoModules = true, CpuModel = "qemu32" });

        Says(line, "Xen: this CPU has no 64-bit long mode; the hypervisor cannot run here.");
        StandsStill(line);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(8)] // ends before the clock is known
    public void Without_noreboot_the_machine_is_restarted_after_the_sentence(int megabytes)
    {
        using SerialLine line = Boot(s_machine with
        {
            NoModules = true,
            MemoryMegabytes = megabytes,
            HypervisorArguments = "noreboot=off",
        });

        Says(line, "rebooting in five seconds");
        _ = line.WaitUntil(_ => line.IsOver, DateTime.UtcNow + s_limit);
        Assert.True(line.IsOver);
    }

    [Theory]
    [InlineData("MultibootInfo__Parse")]
    [InlineData("MemorySetup__BuildTables")]
    [InlineData("Boot__PrepareCpu")]
    [InlineData("DomainFactory__Create")]
    public void A_fault_of_the_boot_code_is_a_panic_with_registers(string method)
    {
        using SerialLine line = Boot(s_machine with
        {
            HypervisorImage = _files.BrokenHypervisor(method),
            Module = _files.SmallKernel(),
        });

        // The report stands between two lines of stars.
        _ = line.WaitUntil(
            text => text.IndexOf(Border, StringComparison.Ordinal) != text.LastIndexOf(Border, StringComparison.Ordinal),
            DateTime.UtcNow + s_limit);
        Says(line, "(XEN) Panic on CPU 0: an exception in the hypervisor");
        Assert.Contains("(XEN) exception 6, error 0", line.Text);
        Assert.Matches($@"\(XEN\) RIP ffff82800[0-9a-f]{{7}}[^$]*{method.Replace("__", "\\.")}\+0x0", line.Text);
        StandsStill(line);
    }

    [Fact]
    public void Without_noreboot_the_machine_is_restarted_after_a_panic()
    {
        using SerialLine line = Boot(s_machine with
        {
            HypervisorImage = _files.BrokenHypervisor("DomainFactory__Create"),
            Module = _files.SmallKernel(),
            HypervisorArguments = "noreboot=off",
        });

        Says(line, "(XEN) Panic on CPU 0: an exception in the hypervisor");
        Says(line, "rebooting in five seconds");
        _ = line.WaitUntil(_ => line.IsOver, DateTime.UtcNow + s_limit);
        Assert.True(line.IsOver);
    }

    [Fact]
    public void A_processor_without_a_local_APIC() =>
        Refuses(
            s_machine with { Module = _files.SmallKernel(), CpuModel = "max,-la57,-smap,-svm,-apic" },
            Cannot + "no local APIC: the processor reports none");

    [Fact]
    public void A_board_without_any_timer() =>
        Refuses(
            s_machine with
            {
                Module = _files.SmallKernel(),
                Machine = "pc,pit=off",
                QemuArguments = ["-no-acpi", "-no-hpet"],
            },
            Cannot + "no timer: neither the ACPI timer nor the PIT counts");

    private static void Refuses(MachineOptions machine, string sentence)
    {
        using SerialLine line = Boot(machine);

        Says(line, sentence);
        Says(line, Halted);
        StandsStill(line);
    }

    private static SerialLine Boot(MachineOptions machine) =>
        SerialLine.Boot(machine, BootFiles.Gather(machine), "refusal");

    private static void Says(SerialLine line, string sentence)
    {
        _ = line.WaitUntil(
            text => text.Contains(sentence, StringComparison.Ordinal) || text.Contains(Halted, StringComparison.Ordinal),
            DateTime.UtcNow + s_limit);
        Assert.True(
            line.Text.Contains(sentence, StringComparison.Ordinal),
            $"The console never says: {sentence}\n{line.Tail()}\n{line.QemuErrors}");
    }

    private static void StandsStill(SerialLine line)
    {
        Thread.Sleep(s_standing);
        Assert.False(line.IsOver, "The machine was reset.\n" + line.Tail());
    }
}
