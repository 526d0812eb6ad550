// SPDX-License-Identifier: MIT

using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Hypervisor.Core.Boot;
using Hypervisor.Sched;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed unsafe class CommandLineTests
{
    private static BootOptions Parse(string line, out List<string> warnings)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(line);
        warnings = [];
        fixed (byte* text = bytes)
        {
            BootOptions options;
            CommandLine.Parse(new BootText(text, bytes.Length), &options);
            for (int i = 0; i < options.KeptWarnings; i++)
            {
                BootText option = options.Warning(i, out bool malformed);
                warnings.Add((malformed ? "malformed " : "unknown ") + BootMemory.Text(option));
            }

            return options;
        }
    }

    private static BootOptions Sound(string line)
    {
        BootOptions options = Parse(line, out List<string> warnings);
        Assert.Empty(warnings);
        return options;
    }

    [Fact]
    public void An_empty_line_gives_the_defaults()
    {
        BootOptions options = Sound("");

        Assert.False(options.Dom0Memory.IsSet);
        Assert.Equal((int)LogLevel.Info, options.LogThreshold);
        Assert.Equal(PolicyId.Credit, options.Scheduler);
        Assert.False(options.Guest);
        Assert.Equal(0u, options.MaxCpus);
    }

    [Theory]
    [InlineData("dom0_mem=458752", 458752UL << 10)]
    [InlineData("/boot/xen-4.gz dom0_mem=512M", 512UL << 20)]
    [InlineData("placeholder dom0_mem=512m no-real-mode edd=off", 512UL << 20)]
    [InlineData("xen dom0-mem=2g", 2UL << 30)]
    [InlineData("dom0_mem=1T", 1UL << 40)]
    [InlineData("dom0_mem=4096B", 4096UL)]
    [InlineData("dom0_mem=0x1000K", 0x1000UL << 10)]
    [InlineData("dom0_mem=010M", 8UL << 20)]
    public void Sizes_are_read_with_and_without_a_program_name(string line, ulong bytes)
    {
        BootOptions options = Sound(line);

        Assert.True(options.Dom0Memory.IsSet);
        Assert.Equal(bytes, options.Dom0Memory.Bytes);
    }

    [Fact]
    public void Domain_0_may_be_bounded_from_both_sides()
    {
        BootOptions options = Sound("dom0_mem=2048M,min:1G,max:4096M");

        Assert.Equal(2048UL << 20, options.Dom0Memory.Bytes);
        Assert.Equal(1UL << 30, options.Dom0MemoryMin.Bytes);
        Assert.Equal(4096UL << 20, options.Dom0MemoryMax.Bytes);
    }

    [Fact]
    public void A_negative_size_leaves_that_much_to_others()
    {
        BootOptions options = Sound("dom0_mem=-128M");

        Assert.Equal(896UL << 20, options.Dom0Memory.Of(1UL << 30, 7));
        Assert.Equal(0UL, options.Dom0Memory.Of(64 << 20, 7));
        Assert.Equal(7UL, options.Dom0MemoryMax.Of(64 << 20, 7));
    }

    [Theory]
    [InlineData("dom0_mem=25%", 64)]
    [InlineData("dom0_mem=1M+25%", 65)]
    [InlineData("dom0_mem=-1M+25%", 191)]
    [InlineData("dom0_mem=-56M", 200)]
    [InlineData("dom0_mem=4G", 256)] // no more than there is
    [InlineData("dom0_mem=10M,min:32M", 32)]
    [InlineData("dom0_mem=64M,max:32M", 32)]
    [InlineData("dom0_mem=min:64M,max:32M", 32)] // the maximum has the last word
    [InlineData("dom0_mem=max:99%", 240)]
    [InlineData("dom0_mem=max:50%", 128)]
    [InlineData("nosmp", 240)] // all but a sixteenth
    public void Domain_0_gets_what_it_is_to_have(string line, ulong megabytes)
    {
        BootOptions options = Sound(line);

        // A percentage is of whole hundredths.
        Assert.InRange(Dom0Size.MemoryOf(options, 256UL << 20), (megabytes << 20) - 100, (megabytes << 20) + 100);
    }

    [Fact]
    public void On_large_machines_128_MiB_are_left_by_default() =>
        Assert.Equal((64UL << 30) - (128UL << 20), Dom0Size.MemoryOf(Sound(""), 64UL << 30));

    [Fact]
    public void Sums_of_sizes_do_not_wrap() =>
        Assert.Equal(1UL << 40, Dom0Size.MemoryOf(Sound("dom0_mem=16777215T+99%"), 1UL << 40));

    [Fact]
    public void Consoles_and_serial_lines_are_read()
    {
        BootOptions options = Sound("com1=9600,7e2,0x2f8,3 com2=auto console=com1,vga,tty vga=text-80x25,keep");

        Assert.Equal(9600u, options.Com1.Baud);
        Assert.Equal(7, options.Com1.DataBits);
        Assert.Equal((byte)'e', options.Com1.Parity);
        Assert.Equal(2, options.Com1.StopBits);
        Assert.Equal(0x2F8, options.Com1.Port);
        Assert.Equal(3, options.Com1.Irq);
        Assert.True(options.Com2.IsSet);
        Assert.Equal(0u, options.Com2.Baud);
        Assert.Equal(8, options.Com2.DataBits);
        Assert.Equal(ConsoleSet.Com1 | ConsoleSet.Screen, options.Consoles);
        Assert.True(options.KeepScreen);
    }

    [Fact]
    public void Base_rate_flow_control_and_size_of_the_log_are_read()
    {
        BootOptions options = Sound("com1=115200/1152000,8n1r conring_size=64K");

        Assert.Equal(1152000u, options.Com1.BaseBaud);
        Assert.True(options.Com1.HeedsClearToSend);
        Assert.Equal(65536UL, options.LogRingSize);
        Assert.Equal(0UL, Sound("com1=9600,7e2").LogRingSize);
    }

    [Fact]
    public void Levels_scheduler_and_cpus_are_read()
    {
        BootOptions options = Sound(
            "loglvl=all guest_loglvl=none/error sched=bvt maxcpus=3 dom0_max_vcpus=2-4 mem=4G dom0_vcpus_pin");

        Assert.Equal((int)LogLevel.Debug, options.LogThreshold);
        Assert.Equal((int)LogLevel.Debug, options.LogLimitedThreshold);
        Assert.Equal(-1, options.GuestLogThreshold);
        Assert.Equal((int)LogLevel.Error, options.GuestLogLimitedThreshold);
        Assert.Equal(PolicyId.Bvt, options.Scheduler);
        Assert.Equal(3u, options.MaxCpus);
        Assert.Equal(2u, options.Dom0MinVcpus);
        Assert.Equal(4u, options.Dom0MaxVcpus);
        Assert.Equal(4UL << 30, options.MemoryLimit);
        Assert.True(options.Dom0VcpusPin);
    }

    [Theory]
    [InlineData("noreboot", true)]
    [InlineData("noreboot=on", true)]
    [InlineData("noreboot=off", false)]
    [InlineData("noreboot no-noreboot", false)]
    [InlineData("no-noreboot=no", true)]
    public void Booleans_can_be_said_in_every_way(string line, bool expected) =>
        Assert.Equal(expected, Sound(line).NoReboot);

    [Fact]
    public void Every_boolean_has_its_own_place()
    {
        BootOptions options = Sound("nosmp cpuinfo watchdog guest");

        Assert.True(options.NoSmp && options.CpuInfo && options.Watchdog && options.Guest);
        Assert.False(options.NoReboot || options.Dom0VcpusPin);
    }

    [Theory]
    [InlineData("dom0_mem=")]
    [InlineData("dom0_mem")]
    [InlineData("dom0_mem=12Q")]
    [InlineData("dom0_mem=12MB")]
    [InlineData("dom0_mem=512M,")]
    [InlineData("dom0_mem=99999999999999999999")]
    [InlineData("dom0_mem=18014398509481984K")]
    [InlineData("dom0_mem=08M")]
    [InlineData("dom0_mem=100%")]
    [InlineData("dom0_mem=%")]
    [InlineData("dom0_mem=1G+%")]
    [InlineData("dom0_mem=+25%")]
    [InlineData("dom0_mem=1G+-25%")]
    [InlineData("dom0_mem=1G+25")]
    [InlineData("dom0_mem=min:")]
    [InlineData("dom0_max_vcpus=4-2")]
    [InlineData("dom0_max_vcpus=0")]
    [InlineData("dom0_max_vcpus=-")]
    [InlineData("com1=0")]
    [InlineData("com1=115200,9n1")]
    [InlineData("com1=115200,8n1,0x3f8,4,5")]
    [InlineData("console=com3")]
    [InlineData("loglvl=loud")]
    [InlineData("loglvl=info/loud")]
    [InlineData("sched=credit2")]
    [InlineData("maxcpus=two")]
    [InlineData("mem=-1G")]
    [InlineData("noreboot=maybe")]
    public void A_malformed_value_is_named_and_changes_nothing(string option)
    {
        BootOptions options = Parse("xen " + option + " nosmp", out List<string> warnings);

        Assert.Equal(["malformed " + option], warnings);
        Assert.True(FormOf(option).Length > 0);
        Assert.True(options.NoSmp);
        Assert.False(options.Dom0Memory.IsSet || options.Com1.IsSet || options.HasConsoles || options.NoReboot);
        Assert.Equal(0u, options.Dom0MaxVcpus + options.MaxCpus);
        Assert.Equal((int)LogLevel.Info, options.LogThreshold);
        Assert.Equal(0UL, options.MemoryLimit);
    }

    /// <summary>The accepted form, which the warning tells.</summary>
    private static string FormOf(string option)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(option);
        fixed (byte* text = bytes)
        {
            return System.Text.Encoding.ASCII.GetString(OptionForms.Describe(new BootText(text, bytes.Length)));
        }
    }

    [Fact]
    public void The_form_belongs_to_the_option()
    {
        Assert.Contains("115200,8n1", FormOf("com2=x"), System.StringComparison.Ordinal);
        Assert.Contains("min:<size>", FormOf("dom0-mem=x"), System.StringComparison.Ordinal);
        Assert.Contains("=on or =off", FormOf("no-noreboot=x"), System.StringComparison.Ordinal);
        Assert.Contains("=on or =off", FormOf("x2apic=x"), System.StringComparison.Ordinal);
        Assert.Equal(string.Empty, FormOf("dom0mem=5"));
    }

    [Fact]
    public void Unknown_options_are_named_but_for_a_program_name_in_front()
    {
        _ = Parse("dom0mem=5 nospm\txsave=1", out List<string> warnings);

        Assert.Equal(["unknown dom0mem=5", "unknown nospm", "unknown xsave=1"], warnings);
    }

    [Fact]
    public void Warnings_beyond_the_store_are_counted()
    {
        BootOptions options = Parse(string.Join(' ', new string[41]).Replace(" ", "a=1 "), out List<string> warnings);

        Assert.Equal(40, options.WarningCount);
        Assert.Equal(BootOptions.MaxWarnings, warnings.Count);
    }

    [Fact]
    public void What_follows_two_minuses_is_for_Domain_0()
    {
        byte* text = (byte*)NativeMemory.AllocZeroed(64);
        "nosmp --  quiet foo=1"u8.CopyTo(new System.Span<byte>(text, 64));
        BootOptions options;
        CommandLine.Parse(new BootText(text, 21), &options);

        Assert.Equal("quiet foo=1", BootMemory.Text(options.Dom0Arguments));
        Assert.Equal(0, options.WarningCount);
        NativeMemory.Free(text);
    }
}
