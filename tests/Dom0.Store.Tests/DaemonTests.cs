// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Dom0.Store.Connections;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>The whole daemon with its real sockets, without a hypervisor.</summary>
public sealed class DaemonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store-").FullName;
    private CancellationTokenSource _stop = new();
    private Task _daemon = Task.CompletedTask;

    public DaemonTests() => Start();

    public void Dispose()
    {
        Stop();
        _stop.Dispose();
        Directory.Delete(_folder, true);
    }

    [Fact]
    public void Programs_talk_to_it_and_what_they_wrote_outlives_it()
    {
        using (Socket one = Connect("socket"))
        using (Socket two = Connect("socket"))
        {
            Assert.Equal("OK\0", Ask(two, XsdSockMsgType.Watch, "/x\0t\0"));
            Assert.Equal("/x\0t\0", Receive(two).Body);
            Assert.Equal("OK\0", Ask(one, XsdSockMsgType.Write, "/x/y\0value"));
            Assert.Equal(new Told(XsdSockMsgType.WatchEvent, 0, "/x/y\0t\0"), Receive(two));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, "socket")));
        Assert.Equal(Environment.ProcessId.ToString(), File.ReadAllText(Path.Combine(_folder, "pid")).Trim());
        Stop();
        Assert.False(File.Exists(Path.Combine(_folder, "socket")));
        Start();
        using Socket again = Connect("socket_ro");
        Assert.Equal("value", Ask(again, XsdSockMsgType.Read, "/x/y\0"));
        Assert.Equal("EROFS\0", Ask(again, XsdSockMsgType.Write, "/x/y\0value"));
    }

    [Fact]
    public void A_message_in_pieces_and_many_in_one_piece_are_all_the_same()
    {
        using Socket socket = Connect("socket");
        byte[] one = new MessageHeader(XsdSockMsgType.GetDomainPath, 7, 0, 0).Message("5\0"u8);
        foreach (byte value in one)
        {
            _ = socket.Send([value]);
        }

        Assert.Equal("/local/domain/5\0", Receive(socket).Body);
        _ = socket.Send([.. Enumerable.Range(0, 500).SelectMany(_ => one)]);
        for (int index = 0; index < 500; index++)
        {
            Assert.Equal("/local/domain/5\0", Receive(socket).Body);
        }
    }

    [Fact]
    public void Who_breaks_the_protocol_is_hung_up_on_and_others_are_not()
    {
        using Socket other = Connect("socket");
        using Socket socket = Connect("socket");
        byte[] head = new byte[16];
        head[12] = 1;
        head[13] = 16;
        _ = socket.Send(head);
        Assert.Equal(0, socket.Receive(new byte[1]));
        Assert.Equal("", Ask(other, XsdSockMsgType.Read, "/tool\0"));
    }

    [Fact]
    public void One_that_reads_nothing_does_not_stop_others_nor_grow()
    {
        using Socket deaf = Connect("socket");
        using Socket other = Connect("socket");
        byte[] request = new MessageHeader(XsdSockMsgType.Write, 7, 0, 0).Message(Encoding.ASCII.GetBytes("/d\0" + new string('v', 4000)));
        _ = deaf.Send(request);
        Assert.Equal("OK\0", Receive(deaf).Body);
        byte[] question = new MessageHeader(XsdSockMsgType.Read, 7, 0, 0).Message("/d\0"u8);
        deaf.Blocking = false;
        long sent = 0;
        try
        {
            while (sent < 64 << 20)
            {
                sent += deaf.Send(question);
            }
        }
        catch (SocketException)
        {
            // It takes no more: as it should.
        }

        Assert.InRange(sent, 1, 8 << 20);
        Assert.Equal("", Ask(other, XsdSockMsgType.Read, "/tool\0"));
    }

    private void Start()
    {
        _stop = new CancellationTokenSource();
        using ManualResetEventSlim ready = new();
        StoreOptions options = new()
        {
            Socket = Path.Combine(_folder, "socket"),
            ReadOnlySocket = Path.Combine(_folder, "socket_ro"),
            StateFolder = Path.Combine(_folder, "state"),
            PidFile = Path.Combine(_folder, "pid"),
            ServesDomains = false,
            Log = _ => { },
            Ready = ready.Set,
            Stop = _stop.Token,
        };
        _daemon = Task.Factory.StartNew(() => StoreDaemon.Run(options), TaskCreationOptions.LongRunning);
        Assert.True(ready.Wait(TimeSpan.FromSeconds(30)));
    }

    private void Stop()
    {
        _stop.Cancel();
        Assert.True(_daemon.Wait(TimeSpan.FromSeconds(30)));
    }

    private Socket Connect(string name)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30000 };
        socket.Connect(new UnixDomainSocketEndPoint(Path.Combine(_folder, name)));
        return socket;
    }

    private static string Ask(Socket socket, XsdSockMsgType type, string body)
    {
        _ = socket.Send(new MessageHeader(type, 7, 0, 0).Message(Encoding.Latin1.GetBytes(body)));
        return Receive(socket).Body;
    }

    private static Told Receive(Socket socket)
    {
        List<byte> bytes = [];
        byte[] one = new byte[1];
        while (true)
        {
            if (Told.Take(bytes) is { } message)
            {
                return message;
            }

            Assert.Equal(1, socket.Receive(one));
            bytes.Add(one[0]);
        }
    }
}
