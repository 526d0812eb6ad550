// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using System.Text;
using Hypervisor.Core.Console;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

/// <summary>The hypercall's bodies share static state: their tests are one class and so run one after
/// another.</summary>
public sealed unsafe class ConsoleOpsTests : IDisposable
{
    private const ulong Buffer = 0x10000;
    private const ulong Unmapped = 0x7FFF_0000_0000;

    private readonly FakeMachine _machine = FakeMachine.Reset();
    private readonly Domain* _domain = (Domain*)NativeMemory.AllocZeroed((nuint)sizeof(Domain));
    private readonly Vcpu* _vcpu = (Vcpu*)NativeMemory.AllocZeroed((nuint)sizeof(Vcpu));
    private readonly ulong* _slots = (ulong*)NativeMemory.AllocZeroed(DomainTable.Size, sizeof(ulong));
    private CpuUserRegs _frame;

    public ConsoleOpsTests()
    {
        _vcpu->Domain = _domain;
        _domain->Id = 9;
    }

    public void Dispose()
    {
        NativeMemory.Free(_vcpu);
        NativeMemory.Free(_domain);
        NativeMemory.Free(_slots);
    }

    private long Call(uint command, uint count, ulong buffer)
    {
        fixed (CpuUserRegs* frame = &_frame)
        {
            return ConsoleOps.Dispatch(_vcpu, command, count, buffer, frame).Raw;
        }
    }

    private void Put(string text) =>
        Encoding.ASCII.GetBytes(text).CopyTo(new Span<byte>(_machine.Memory + Buffer, 65536));

    [Fact]
    public void Domain_0_writes_verbatim()
    {
        _domain->IsPrivileged = true;
        Put("login: \u001B[1m");

        Assert.Equal(0, Call(0, 11, Buffer));
        Assert.Equal("login: \u001B[1m", _machine.Console);
    }

    [Fact]
    public void A_long_write_goes_on_where_it_stopped()
    {
        _domain->IsPrivileged = true;
        Put(new string('a', 4096) + new string('b', 100));

        Assert.Equal(HypercallResult.Preempted.Raw, Call(0, 4196, Buffer));
        Assert.Equal(4096, _machine.Console.Length);
        Assert.Equal(0UL, _frame.Rdi);
        Assert.Equal(100UL, _frame.Rsi);
        Assert.Equal(Buffer + 4096, _frame.Rdx);
        Assert.Equal(0, Call((uint)_frame.Rdi, (uint)_frame.Rsi, _frame.Rdx));
        Assert.EndsWith(new string('b', 100), _machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unreadable_buffer_is_a_fault()
    {
        _domain->IsPrivileged = true;

        Assert.Equal(-(long)Errno.Fault, Call(0, 5, Unmapped));
        Assert.Equal(-(long)Errno.Fault, Call(0, 5, MemoryLayout.DirectMap));
    }

    [Fact]
    public void Others_may_neither_read_nor_write_until_the_boot_allows_it()
    {
        Put("hello\nunfinished");

        Assert.Equal(-(long)Errno.Perm, Call(1, 5, Buffer));
        if (Call(0, 6, Buffer) != 0)
        {
            ConsoleOps.AllowGuests(unlimited: true);
        }

        _machine.ClearConsole();
        Assert.Equal(0, Call(0, 16, Buffer));
        Assert.Equal("(d9) hello\n", _machine.Console);
        ConsoleOps.Flush(_domain);
        Assert.Equal("(d9) hello\n(d9) unfinished\n", _machine.Console);
    }

    [Fact]
    public void An_unknown_command_is_refused() => Assert.Equal(-(long)Errno.NoSys, Call(2, 0, 0));

    [Fact]
    public void Typed_bytes_reach_Domain_0_and_stay_when_its_buffer_faults()
    {
        DomainTable.Initialise(_slots);
        _domain->IsPrivileged = true;
        ConsoleInput.Direct(toHypervisor: false);
        foreach (byte key in "ls\r"u8)
        {
            ConsoleInput.Receive(key);
        }

        Assert.Equal(-(long)Errno.Fault, Call(1, 16, Unmapped));
        Assert.Equal(2, Call(1, 2, Buffer));
        Assert.Equal(1, Call(1, 16, Buffer + 2));
        Assert.Equal("ls\r"u8, new ReadOnlySpan<byte>(_machine.Memory + Buffer, 3));
        Assert.Equal(0, Call(1, 16, Buffer));
    }

    [Fact]
    public void The_debug_key_h_helps()
    {
        ConsoleInput.Direct(toHypervisor: true);
        ConsoleInput.Receive((byte)'h');
        ConsoleInput.Direct(toHypervisor: false);

        // A typed key may have come while locks are held: it waits for the soft interrupt.
        Assert.Equal("", _machine.Console);
        Assert.NotEqual(0u, FakeMachine.Cpu.Info->SoftIrqPending & SoftIrq.Console);
        DebugKeys.ServeTyped();
        Assert.Contains("  h  this help\n", _machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public void The_log_is_read_from_the_beginning_onward_and_cleared()
    {
        SysCtlReadConsole empty = new() { Clear = 1, Buffer = Buffer, Count = 60000 };
        Assert.Equal(Errno.Ok, ConsoleLog.Read(&empty));
        byte* text = stackalloc byte[300];
        new Span<byte>(text, 300).Fill((byte)'t');
        ConsoleLog.Append(text, 300);

        SysCtlReadConsole first = new() { Buffer = Buffer, Count = 290 };
        Assert.Equal(Errno.Ok, ConsoleLog.Read(&first));
        Assert.Equal(290u, first.Count);
        SysCtlReadConsole rest = new() { Incremental = 1, Index = first.Index, Buffer = Buffer, Count = 290 };
        Assert.Equal(Errno.Ok, ConsoleLog.Read(&rest));
        Assert.Equal(10u, rest.Count);
        SysCtlReadConsole bad = new() { Buffer = Unmapped, Count = 290, Clear = 1 };
        Assert.Equal(Errno.Fault, ConsoleLog.Read(&bad));
        SysCtlReadConsole all = new() { Buffer = Buffer, Count = 60000, Clear = 1 };
        Assert.Equal(Errno.Ok, ConsoleLog.Read(&all));
        Assert.Equal(300u, all.Count);
        SysCtlReadConsole none = new() { Buffer = Buffer, Count = 60000 };
        Assert.Equal(Errno.Ok, ConsoleLog.Read(&none));
        Assert.Equal(0u, none.Count);
    }
}
