// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Api;
using Dom0.Xend.Domains;
using Xunit;

namespace Dom0.Xend.Tests;

/// <summary>The interface over a real socket, and a fake host behind it.</summary>
public sealed class ApiTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeHost _host = new();
    private readonly FakeDirectory _consoles = new();
    private readonly EventHub _events = new(TimeProvider.System);

    public ApiTests()
    {
        DomainWorker worker = new(_host.Manager, _host.Turn, _host.Note);
        worker.Start();
        ApiMethods methods = new(worker, _consoles, _events, _host.Note);
        ApiServer server = new(_folder["api"], socket => new ApiConnection(socket, methods), _host.Note);
        new Thread(server.Run) { IsBackground = true }.Start();
    }

    public void Dispose() => _folder.Dispose();

    private sealed class FakeDirectory : IConsoleDirectory
    {
        public Guid Uuid { get; } = Guid.NewGuid();

        public (Guid Uuid, long Position)? Find(int domid, string name, long? since) =>
            name is "guest" or "dead" ? (Uuid, since ?? 5) : null;

        public void Attach(Guid uuid, FileDescriptor connection, long since)
        {
            _ = connection.Write(Encoding.ASCII.GetBytes($"hello from {since}"));
            connection.Dispose();
        }

        public IReadOnlyList<string> Problems() => ["a problem"];
    }

    private XendClient Connect() => XendClient.TryConnect(_folder["api"])!;

    private static DomainReference Call(XendClient client, string method, string domain) => client.Call(
        method, new DomainParameters(domain), ApiJson.Default.DomainParameters, ApiJson.Default.DomainReference);

    /// <summary>Sends lines as they are and reads as many lines back, the greeting first.</summary>
    private string[] Raw(params string[] lines)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(_folder["api"]));
        using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        }
        catch (IOException)
        {
            // The daemon has heard enough; what it answered can still be read.
        }

        return [.. Enumerable.Range(0, lines.Length + 1).Select(_ => reader.ReadLine() ?? "(closed)")];
    }

    [Fact]
    public void The_socket_is_roots_alone() => Assert.Equal(
        UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["api"]));

    [Fact]
    public void A_domain_is_created_renamed_and_destroyed_and_a_refusal_is_the_daemons_sentence()
    {
        using XendClient client = Connect();
        CreateParameters wanted = new(FakeHost.Config(), Paused: true);
        DomainReference created = client.Call("domain.create", wanted, ApiJson.Default.CreateParameters,
            ApiJson.Default.DomainReference);
        Assert.Equal(new DomainReference(1, "guest"), created);
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => client.Call("domain.create",
            wanted, ApiJson.Default.CreateParameters, ApiJson.Default.DomainReference));
        Assert.Contains("there is a domain 'guest' already", refusal.Message);
        Assert.Contains("Choose another name", refusal.Remedy);
        Assert.Equal(1, Call(client, "domain.unpause", "guest").Id);
        ManagedDomain listed = Assert.Single(client.Call("domain.list", ApiJson.Default.IReadOnlyListManagedDomain));
        Assert.Equal(JsonSerializer.Serialize(wanted.Config, ApiJson.Default.DomainConfig),
            JsonSerializer.Serialize(listed.Config, ApiJson.Default.DomainConfig));
        Assert.Equal("other", client.Call("domain.rename", new RenameParameters("1", "other"),
            ApiJson.Default.RenameParameters, ApiJson.Default.DomainReference).Name);
        Assert.Equal(1, Call(client, "domain.destroy", "other").Id);
        Assert.Empty(client.Call("domain.list", ApiJson.Default.IReadOnlyListManagedDomain));
        DomainEnd end = client.Call("domain.ended", new DomainParameters($"{wanted.Config.Uuid}"),
            ApiJson.Default.DomainParameters, ApiJson.Default.DomainEnd);
        Assert.Equal(new DomainEnd(null, "destroy", true), end);
    }

    [Fact]
    public void Who_asks_for_it_hears_how_far_a_request_is_and_others_do_not()
    {
        using XendClient client = Connect();
        List<StepProgress> steps = [];
        CreateParameters wanted = new(FakeHost.Config() with { Vifs = [""] });
        _ = client.Call("domain.create", wanted, ApiJson.Default.CreateParameters, ApiJson.Default.DomainReference,
            steps.Add);
        Assert.Equal(["taking memory", "copying kernel and RAM disk", "making its devices"],
            steps.Select(step => step.Step).Distinct());
        Assert.Equal(new StepProgress("taking memory", 0, (long)FakeHost.Pages), steps[0]);

        // The next answer is not mixed with them.
        Assert.Equal(1, Call(client, "domain.destroy", "guest").Id);
        string create = JsonSerializer.Serialize(wanted, ApiJson.Default.CreateParameters);
        string[] lines = Raw($"{{\"id\":3,\"api\":1,\"method\":\"domain.create\",\"params\":{create}}}");
        Assert.StartsWith("{\"id\":3,\"result\":", lines[1]);
        lines = Raw("{\"id\":4,\"api\":1,\"method\":\"domain.destroy\",\"params\":{\"domain\":\"guest\"}}",
            $"{{\"id\":5,\"api\":1,\"method\":\"domain.create\",\"progress\":true,\"params\":{create}}}");
        Assert.Equal("{\"progress\":{\"id\":5,\"step\":\"taking memory\",\"done\":0,\"total\":"
            + $"{FakeHost.Pages}}}}}", lines[2]);
    }

    [Fact]
    public void Definitions_are_made_started_and_forgotten()
    {
        using XendClient client = Connect();
        Assert.Equal("off", client.Call("managed.new", new CreateParameters(FakeHost.Config(), false),
            ApiJson.Default.CreateParameters, ApiJson.Default.ManagedDomain).Phase);
        Assert.Equal(1, client.Call("managed.start", new StartParameters("guest", false),
            ApiJson.Default.StartParameters, ApiJson.Default.DomainReference).Id);
        _ = Call(client, "domain.destroy", "guest");
        Assert.Equal("guest", client.Call("managed.delete", new DomainParameters("guest"),
            ApiJson.Default.DomainParameters, ApiJson.Default.ManagedDomain).Name);
    }

    [Fact]
    public void Whatever_a_client_sends_it_gets_an_answer_and_the_next_client_is_served()
    {
        string[] answers = Raw(
            "no json", "[]", "null", "{}", """{"id":7,"api":2,"method":"status"}""",
            """{"id":8,"api":1,"method":"make.coffee"}""", """{"id":9,"api":1,"method":"domain.destroy"}""",
            """{"id":10,"api":1,"method":"domain.destroy","params":{"domain":null}}""",
            """{"id":11,"api":1,"method":"domain.destroy","params":{"domain":"0"}}""",
            """{"id":12,"api":1,"method":"domain.create","params":{"config":{"name":"x"},"paused":false}}""",
            """{"id":13,"api":1,"method":"domain.ended","params":{"domain":"no uuid"}}""",
            """{"id":14,"api":1,"method":"console.attach","params":{"domain":"nobody"}}""",
            """{"id":15,"api":1,"method":"status"}""");
        Assert.Contains("\"service\":\"xend\"", answers[0]);
        Assert.All(answers[1..^1], answer => Assert.Contains("\"error\":{\"code\":", answer));
        Assert.All(answers[1..4], answer => Assert.Contains("bad_request", answer));
        Assert.Contains("bad_version", answers[4]);
        Assert.Contains("{\"id\":7,\"error\":{\"code\":\"bad_version\"", answers[5]);
        Assert.Contains("unknown_method", answers[6]);
        Assert.Contains("\"id\":10,\"error\":{\"code\":\"bad_request\"", answers[8]);
        Assert.Contains("Domain-0 cannot be destroyed", answers[9]);
        Assert.Contains("bad_request", answers[10]);
        Assert.Contains("does not exist", answers[12]);
        Assert.Contains("\"problems\":[\"a problem\"]", answers[13]);
        using XendClient client = Connect();
        Assert.Equal(Environment.ProcessId, client.Call("status", ApiJson.Default.DaemonStatus).Pid);
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        string[] answers = Raw(new string('x', 3 * 1024 * 1024));
        Assert.True(answers[1].Contains("at most", StringComparison.Ordinal) || answers[1] == "(closed)", answers[1]);
    }

    [Fact]
    public void Events_reach_a_subscriber_between_its_answers()
    {
        using XendClient client = Connect();
        _ = client.Call("events.subscribe", ApiJson.Default.DaemonStatus);
        _events.Publish(new DomainEvent { Event = "created", Name = "guest", Domid = 3 });
        DomainEvent told = client.WaitForEvent(10_000)!;
        Assert.Equal(("created", "guest", 3, 1L), (told.Event, told.Name, told.Domid, told.Sequence));
        _events.Publish(new DomainEvent { Event = "destroyed", Name = "guest" });
        Assert.Equal(2, client.Call("status", ApiJson.Default.DaemonStatus).Events);
        Assert.Equal(2, client.WaitForEvent(10_000)!.Sequence);
        Assert.Null(client.WaitForEvent(0));
    }

    [Fact]
    public void A_console_is_a_stream_behind_its_answer()
    {
        using XendClient client = Connect();
        using ConsoleClient console = client.Attach("dead", null, out ConsoleStart start);
        Assert.Equal(new ConsoleStart(_consoles.Uuid, 5), start);
        using FileStream sink = new(_folder["seen"], FileMode.Create);
        using FileStream nothing = File.OpenRead("/dev/null");
        Assert.Equal(ConsoleEnd.Closed, console.Run(() => false,
            (int)nothing.SafeFileHandle.DangerousGetHandle(), (int)sink.SafeFileHandle.DangerousGetHandle()));
        Assert.Equal("hello from 5", File.ReadAllText(_folder["seen"]));
        Assert.Equal(12, console.Shown);
    }

    [Fact]
    public void Without_a_daemon_there_is_no_client() => Assert.Null(XendClient.TryConnect(_folder["nobody"]));
}
