// SPDX-License-Identifier: MIT
using System;
using System.IO.Pipes;
using System.Text;
using System.Threading.Tasks;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Console;

/// <summary>The test plays the console's daemon at the controlling side of a pseudo-terminal.</summary>
public sealed class ConsoleClientTests : IDisposable
{
    private const uint UnlockRequest = 0x40045431;
    private const uint NumberRequest = 0x80045430;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly FakeStoreServer _server = new();
    private readonly StoreClient _store;
    private readonly FileDescriptor _daemon;
    private readonly string _terminal;

    // xenconsoled too keeps the other side open, in raw mode: words from before anybody attached are then not echoed.
    private readonly FileDescriptor _guestSide;
    private readonly AnonymousPipeServerStream _input = new(PipeDirection.Out);
    private readonly AnonymousPipeServerStream _output = new(PipeDirection.In);

    // Asked for at once: the number of a pipe that is closed may be another file's by then.
    private readonly int _inputEnd;
    private readonly int _outputEnd;

    public ConsoleClientTests()
    {
        _inputEnd = (int)_input.ClientSafePipeHandle.DangerousGetHandle();
        _outputEnd = (int)_output.ClientSafePipeHandle.DangerousGetHandle();
        _store = new StoreClient(_server);
        _daemon = FileDescriptor.Open("/dev/ptmx", Libc.OpenNoControllingTerminal, out _)!;
        _terminal = Unlock(_daemon);
        _guestSide = FileDescriptor.Open(_terminal, Libc.OpenNoControllingTerminal, out _)!;
        _ = Terminal.MakeRaw(_guestSide.Number);
    }

    private static unsafe string Unlock(FileDescriptor daemon)
    {
        int unlocked = 0;
        int number = 0;
        Assert.Equal(0, daemon.Control(UnlockRequest, &unlocked));
        Assert.Equal(0, daemon.Control(NumberRequest, &number));
        return $"/dev/pts/{number}";
    }

    public void Dispose()
    {
        _guestSide.Dispose();
        _daemon.Dispose();
        _input.Dispose();
        _output.Dispose();

        // Who asks for these has to close them.
        _input.ClientSafePipeHandle.Dispose();
        _output.ClientSafePipeHandle.Dispose();
    }

    private ConsoleClient Open()
    {
        _server.Put("/local/domain/5/console/tty", _terminal);
        return ConsoleClient.Open(_store, 5, 1000);
    }

    private Task<ConsoleEnd> Run(ConsoleClient client, Func<bool>? hasStopped = null) =>
        Task.Run(() => client.Run(hasStopped ?? (() => false), _inputEnd, _outputEnd));

    /// <summary>The next characters that reach the guest; terminals and pipes may bring them in pieces.</summary>
    private string ReadAtDaemon(int count) => Gather(count, piece => _daemon.Read(piece));

    private string ReadOutput(int count) => Gather(count, piece => _output.Read(piece));

    private static string Gather(int count, Func<byte[], int> read)
    {
        StringBuilder text = new();
        while (text.Length < count)
        {
            byte[] piece = new byte[count - text.Length];
            int got = read(piece);
            if (got <= 0)
            {
                break;
            }

            _ = text.Append(Encoding.ASCII.GetString(piece, 0, got));
        }

        return text.ToString();
    }

    [Fact]
    public async Task Keys_reach_the_guest_unchanged_until_the_leave_key()
    {
        using ConsoleClient client = Open();
        Task<ConsoleEnd> session = Run(client);
        _input.Write("ls\r\x03\x04"u8);
        Assert.Equal("ls\r\x03\x04", ReadAtDaemon(5));
        _input.Write("last\x1dnever"u8);
        Assert.Equal("last", ReadAtDaemon(4));
        Assert.Equal(ConsoleEnd.Left, await session.WaitAsync(s_patience));
    }

    [Fact]
    public async Task What_the_guest_prints_is_shown_and_not_echoed_back()
    {
        using ConsoleClient client = Open();
        Task<ConsoleEnd> session = Run(client);
        _input.Write("x"u8);
        Assert.Equal("x", ReadAtDaemon(1));
        Assert.Equal(0, _daemon.Write("login: \r\n"u8));
        Assert.Equal("login: \r\n", ReadOutput(9));
        Assert.False(_daemon.WaitForInput(50));
        _input.Write([ConsoleClient.LeaveKey]);
        Assert.Equal(ConsoleEnd.Left, await session.WaitAsync(s_patience));
    }

    [Fact]
    public async Task A_console_that_closes_ends_the_session()
    {
        using ConsoleClient client = Open();
        Task<ConsoleEnd> session = Run(client);
        _daemon.Dispose();
        Assert.Equal(ConsoleEnd.Closed, await session.WaitAsync(s_patience));
    }

    [Fact]
    public async Task A_stopped_domain_ends_the_session_after_its_last_words()
    {
        using ConsoleClient client = Open();
        Assert.Equal(0, _daemon.Write("reboot: System halted\r\n"u8));
        Task<ConsoleEnd> session = Run(client, () => true);
        Assert.Equal(ConsoleEnd.Stopped, await session.WaitAsync(s_patience));
        Assert.Equal("reboot: System halted\r\n", ReadOutput(23));
    }

    [Fact]
    public async Task Input_that_ends_after_some_bytes_ends_the_session()
    {
        using ConsoleClient client = Open();
        Task<ConsoleEnd> session = Run(client);
        _input.Write("ls\r"u8);
        Assert.Equal("ls\r", ReadAtDaemon(3));
        _input.Dispose();
        Assert.Equal(ConsoleEnd.Left, await session.WaitAsync(s_patience));
    }

    [Fact]
    public async Task Input_that_is_empty_from_the_start_leaves_the_output_running()
    {
        using ConsoleClient client = Open();
        _input.Dispose();
        bool stopped = false;
        Task<ConsoleEnd> session = Run(client, () => stopped);
        Assert.Equal(0, _daemon.Write("booting\r\n"u8));
        Assert.Equal("booting\r\n", ReadOutput(9));
        await Task.Delay(700);
        Assert.False(session.IsCompleted);
        stopped = true;
        Assert.Equal(ConsoleEnd.Stopped, await session.WaitAsync(s_patience));
    }

    [Fact]
    public void A_domain_whose_console_nobody_serves_is_reported()
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => ConsoleClient.Open(_store, 6, 0));
        Assert.Contains("nobody wrote /local/domain/6/console/tty", refusal.Message);
        Assert.Contains("xenconsoled", refusal.Remedy);
    }
}
