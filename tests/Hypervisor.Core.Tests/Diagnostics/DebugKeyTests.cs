// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Console;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Events;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Diagnostics;

public sealed unsafe class DebugKeyTests
{
    private readonly TestHost _host = new(cpus: 3);
    private readonly Domain* _guest;

    public DebugKeyTests()
    {
        _guest = _host.AddDomain(vcpus: 2);
        _host.Machine.ClearConsole();
    }

    private string Press(char key)
    {
        _host.Machine.ClearConsole();
        DebugKeys.Handle((byte)key);
        return _host.Machine.Console;
    }

    [Fact]
    public void The_help_names_every_key_and_every_key_that_only_tells_says_something()
    {
        string help = Press('h');
        foreach (char key in "%*0CHMNRTacdeghikmnqrstuvwz")
        {
            Assert.Contains($"(XEN)   {key}  ", help, StringComparison.Ordinal);
        }

        _host.Machine.OnSpinWait = () => _host.Machine.AdvanceTsc(1 << 24);
        foreach (char key in "%0HTacdeghikmnqrstuvz")
        {
            Assert.True(Press(key).Split('\n').Length > 2, $"key {key}");
        }

        Assert.Equal("", Press('~'));
        Assert.Equal("", Press('\0'));
    }

    [Fact]
    public void The_tools_press_keys_and_guests_do_not()
    {
        *_host.At<byte>(TestHost.BufferAddress) = (byte)'m';
        *_host.At<SysCtl>() = default;
        _host.At<SysCtl>()->DebugKeys.Keys = TestHost.BufferAddress;
        _host.At<SysCtl>()->DebugKeys.NrKeys = 1;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.DebugKeys));
        Assert.Contains("key 'm' pressed", _host.Machine.Console, StringComparison.Ordinal);

        _host.Machine.ClearConsole();
        TestHost.Run(_guest->VcpuOf(0));
        SysCtl request = *_host.At<SysCtl>();
        CpuUserRegs frame = default;
        _host.Put(request);
        Assert.Equal(
            -(long)Errno.Perm,
            Hypervisor.Core.Control.SysCtlOps.Dispatch(_guest->VcpuOf(0), TestHost.RequestAddress, &frame).Raw);
        Assert.Equal("", _host.Machine.Console);
    }

    [Fact]
    public void All_reports_come_one_at_a_time()
    {
        _host.Machine.OnSpinWait = () => _host.Machine.AdvanceTsc(1 << 24);
        _ = Press('*');
        int served = 0;
        for (int i = 0; i < 64; i++)
        {
            _host.Machine.ClearConsole();
            DebugKeys.ServeTyped();
            served += _host.Machine.Console.Split("pressed").Length - 1;
        }

        Assert.Equal(19, served);
    }

    [Fact]
    public void Ports_are_shown_with_what_they_are_bound_to_and_not_without_end()
    {
        Assert.Equal(Errno.Ok, EventBinding.Unbound(_guest, 0, out uint waiting));
        Assert.Equal(Errno.Ok, EventBinding.Interdomain(_host.Dom0, _guest, waiting, out uint port));
        string text = Press('e');
        Assert.Contains($"  {port} [p-] v0 d{_guest->Id} port {waiting}\n", text, StringComparison.Ordinal);
        Assert.Contains($"  {waiting} [--] v0 d0 port {port}\n", text, StringComparison.Ordinal);

        for (int i = 0; i < 120; i++)
        {
            Assert.Equal(Errno.Ok, EventBinding.Ipi(_guest, 0, out _));
        }

        text = Press('e');
        Assert.Contains("  and more\n", text, StringComparison.Ordinal);
        Assert.InRange(text.Split('\n').Length, 60, 80);
    }

    [Fact]
    public void Timers_are_all_found_in_the_heap()
    {
        for (uint id = 0; id < 2; id++)
        {
            Vcpu* vcpu = _guest->VcpuOf(id);
            TimerQueue.Set(&vcpu->Time.SingleShot, SystemTime.Now() + (5_000_000 * (id + 1)));
            TimerQueue.Set(&vcpu->Time.Periodic, SystemTime.Now() + (1_000_000 * (id + 7)));
            TimerQueue.Set(&vcpu->Time.Poll, SystemTime.Now() + (9_000_000 * (id + 1)));
        }

        string text = Press('a');
        for (uint id = 0; id < 2; id++)
        {
            Assert.Contains($"one-shot timer of d{_guest->Id}v{id}\n", text, StringComparison.Ordinal);
            Assert.Contains($"periodic timer of d{_guest->Id}v{id}\n", text, StringComparison.Ordinal);
            Assert.Contains($"end of a poll of d{_guest->Id}v{id}\n", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_CPU_tells_its_registers_and_passes_the_question_on()
    {
        FakeMachine.RunOn(1);
        TestHost.Run(_host.Caller);
        _ = Press('d');
        string text = _host.Machine.Console;
        foreach (uint cpu in (uint[])[0, 2])
        {
            FakeMachine.RunOn(cpu);
            SoftIrqs.Receive(Hypervisor.Machine.Cpu);
            Assert.NotEqual(0u, Hypervisor.Machine.Cpu->SoftIrqPending & SoftIrq.Question);
            CpuQuestions.Answer();
        }

        text = _host.Machine.Console;
        foreach (int cpu in (int[])[0, 1, 2])
        {
            Assert.Equal(2, text.Split($"CPU {cpu}: ").Length);
        }

        FakeMachine.RunOn(0);
    }

    [Fact]
    public void Clocks_are_compared_and_a_CPU_that_does_not_answer_is_named()
    {
        int turns = 0;
        _host.Machine.OnSpinWait = () =>
        {
            _host.Machine.AdvanceTsc(1 << 20);
            if (++turns <= 4)
            {
                FakeMachine.RunOn(1);
                CpuQuestions.Answer();
                FakeMachine.RunOn(0);
            }
        };

        string text = Press('t');
        Assert.Contains("CPU 1: ahead by ", text, StringComparison.Ordinal);
        Assert.Contains("none to be seen", text, StringComparison.Ordinal);
        Assert.Contains("CPU 2: does not answer", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_NMI_is_sent_to_the_own_CPU_a_panic_and_a_reboot_are_what_they_say()
    {
        _ = Press('N');
        Assert.Equal([0u], _host.Machine.Nmis);
        Assert.Throws<HypervisorPanicException>(() => Press('C'));
        Assert.Throws<HypervisorPanicException>(() => Press('R'));
    }

    [Fact]
    public void The_log_is_shown_once_more_as_fast_as_the_line_takes_it()
    {
        byte* text = stackalloc byte[600];
        new Span<byte>(text, 600).Fill((byte)'x');
        text[0] = (byte)'\n';
        ConsoleLog.Append(text, 600);
        _host.Machine.ConsoleRoom = 0;
        _ = Press('w');
        Assert.DoesNotContain("xxxx", _host.Machine.Console, StringComparison.Ordinal);
        _host.Machine.ConsoleRoom = 4096;
        ConsoleLog.ContinueReplay();
        Assert.Contains("\r\n" + new string('x', 599), _host.Machine.Console, StringComparison.Ordinal);
        _host.Machine.ClearConsole();
        ConsoleLog.ContinueReplay();
        Assert.Equal("", _host.Machine.Console);
    }
}
