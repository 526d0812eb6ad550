// SPDX-License-Identifier: MIT
using System;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// What becomes of CPUs that go wrong. A copy of the image is changed at one place to make them: a method that calls itself
/// without end, one that never ends, a processor that never hears of its start.
/// </summary>
public sealed class ProcessorTests : IDisposable
{
    private const string HandlerOfExceptions = "_TrapEntry__FromGuest";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    private static readonly MachineOptions s_machine = new()
    {
        Loader = LoaderKind.Kernel,
        MemoryMegabytes = 512,
        Dom0MemoryMegabytes = 64,
        IsModulePrivileged = true,
    };

    private readonly KernelFiles _files = new();

    private static ReadOnlySpan<byte> CallItself => [0xE8, 0xFB, 0xFF, 0xFF, 0xFF];

    private static ReadOnlySpan<byte> JumpToItself => [0xEB, 0xFE];

    private static ReadOnlySpan<byte> Return => [0xC3];

    private static ReadOnlySpan<byte> Undefined => [0x0F, 0x0B];

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_stack_that_overflows_is_a_panic_that_names_the_CPU_and_the_page()
    {
        using SerialLine line = Boot(s_machine, HandlerOfExceptions, CallItself);
        string text = Panics(line);
        Assert.Contains("(XEN) Panic on CPU 0: a stack of the hypervisor overflowed", text);
        Assert.Matches(
            @"\(XEN\) the unmapped page ffff82a000027000 below the ordinary stack of CPU 0 was touched", text);
        Assert.Contains("TrapEntry.FromGuest+", text);
    }

    [Fact]
    public void A_CPU_that_locks_up_is_found_and_shown()
    {
        MachineOptions machine = s_machine with { Cpus = 2, HypervisorArguments = "watchdog" };
        using SerialLine line = Boot(machine, HandlerOfExceptions, JumpToItself);
        string text = Panics(line);
        Assert.Contains("(XEN) watchdog: every CPU by the one before it", text);
        Assert.Matches(@"\(XEN\) Panic on CPU [01]: watchdog: this CPU is locked up", text);
        Assert.Matches(@"\(XEN\)   \[ffff82800[0-9a-f]{7}\] TrapEntry\.FromGuest\+0x0", text);
        Assert.Contains("(XEN) RIP ffff8280", text);
    }

    [Fact]
    public void Of_four_CPUs_one_reports_a_panic_and_all_stop()
    {
        using SerialLine line = Boot(s_machine with { Cpus = 4 }, HandlerOfExceptions, Undefined);
        string text = Panics(line);
        Assert.Single(Regex.Matches(text, "Panic on CPU"));
        Assert.Contains("(XEN) exception 6, error 0", text);
    }

    [Fact]
    public void A_processor_without_no_execute_pages_gets_to_the_first_domain()
    {
        MachineOptions machine = s_machine with { Cpus = 2, CpuModel = "qemu64,-nx", Module = _files.SmallKernel() };
        using SerialLine line = SerialLine.Boot(machine, BootFiles.Gather(machine), "processor");
        Says(line, "(XEN) CPUs: 2 of 2 run");
        Says(line, "(XEN) starting the first domain");
        Says(line, "(XEN) halted"); // the kernel crashes, as it has no code
        Assert.DoesNotContain("Panic", line.Text);
    }

    [Fact]
    public void A_CPU_that_does_not_react_is_named_and_the_boot_goes_on()
    {
        MachineOptions machine = s_machine with { Cpus = 2, Module = _files.SmallKernel() };
        using SerialLine line = Boot(machine, "_LocalApic__SendStartup", Return);
        Says(line, "(XEN) starting the first domain");
        Assert.Contains("(XEN) CPU with local APIC 1 is not used: it does not react", line.Text);
        Assert.Contains("(XEN) CPUs: 1 of 2 run, local APICs 0", line.Text);
    }

    [Fact]
    public void A_CPU_that_stops_half_way_is_named_and_the_boot_goes_on()
    {
        using SerialLine line = Boot(s_machine with { Cpus = 3 }, "_Processors__Main", JumpToItself);
        Says(line, "(XEN) starting the first domain");
        Assert.Contains(
            "(XEN) CPU with local APIC 1 is not used: it does not get through its first instructions", line.Text);
        Assert.Contains("(XEN) CPU with local APIC 2 is not used: ", line.Text);
        Assert.Contains("(XEN) CPUs: 1 of 3 run, local APICs 0", line.Text);
    }

    private SerialLine Boot(MachineOptions machine, string symbolEnd, ReadOnlySpan<byte> code)
    {
        MachineOptions changed = machine with
        {
            HypervisorImage = _files.ChangedHypervisor(symbolEnd, code),
            Module = _files.SmallKernel(),
        };
        return SerialLine.Boot(changed, BootFiles.Gather(changed), "processor");
    }

    /// <summary>The console up to the end of the report.</summary>
    private static string Panics(SerialLine line)
    {
        const string Border = "(XEN) ****************************************";
        _ = line.WaitUntil(
            text => text.IndexOf(Border, StringComparison.Ordinal) != text.LastIndexOf(Border, StringComparison.Ordinal),
            DateTime.UtcNow + s_limit);
        Assert.True(line.Text.Contains("Panic on CPU", StringComparison.Ordinal), "No panic.\n" + line.Tail());
        return line.Text;
    }

    private static void Says(SerialLine line, string sentence)
    {
        _ = line.WaitUntil(text => text.Contains(sentence, StringComparison.Ordinal), DateTime.UtcNow + s_limit);
        Assert.True(line.Text.Contains(sentence, StringComparison.Ordinal), $"Never said: {sentence}\n{line.Tail()}");
    }
}
