// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Domains;

namespace Dom0.Xend.Api;

/// <summary>The consoles, as connections need them.</summary>
internal interface IConsoleDirectory
{
    /// <summary>The console of a domain by number or name, and where a session that asks for a position would begin.</summary>
    (Guid Uuid, long Position)? Find(int domid, string name, long? since);

    /// <summary>Hands a connection over.</summary>
    void Attach(Guid uuid, FileDescriptor connection, long since);

    /// <summary>What is wrong, in sentences.</summary>
    IReadOnlyList<string> Problems();
}

/// <summary>What clients can ask for: parameters in, result out. docs/api.md describes each.</summary>
internal sealed class ApiMethods
{
    private readonly DomainWorker _worker;
    private readonly IConsoleDirectory _consoles;

    /// <summary>Acts on the worker's domains.</summary>
    public ApiMethods(DomainWorker worker, IConsoleDirectory consoles, EventHub events, Action<string> log)
    {
        Log = log;
        _worker = worker;
        _consoles = consoles;
        Events = events;
    }

    /// <summary>Takes a sentence for the log.</summary>
    public Action<string> Log { get; }

    /// <summary>The events.</summary>
    public EventHub Events { get; }

    /// <summary>How the daemon is.</summary>
    public DaemonStatus Status() => new(
        Environment.ProcessId, _worker.Run(manager => manager.List().Count), Events.Count, _consoles.Problems());

    /// <summary>Calls a method; null when there is none of that name.</summary>
    public JsonElement? Call(string method, JsonElement? parameters) => method switch
    {
        "status" => Element(Status(), ApiJson.Default.DaemonStatus),
        "domain.list" => Element(_worker.Run(manager => manager.List()), ApiJson.Default.IReadOnlyListManagedDomain),
        "domain.create" => Create(Parameters(parameters, ApiJson.Default.CreateParameters)),
        "domain.adopt" => OnDomain(parameters, (manager, name) => manager.Adopt(name)),
        "domain.destroy" => OnDomain(parameters, (manager, name) => manager.Destroy(name)),
        "domain.unpause" => OnDomain(parameters, (manager, name) => manager.Unpause(name)),
        "domain.rename" => Rename(Parameters(parameters, ApiJson.Default.RenameParameters)),
        "domain.device_changed" => ChangeDevice(Parameters(parameters, ApiJson.Default.DeviceChange)),
        "domain.ended" => Element(_worker.Run(manager => manager.EndOf(IdentityOf(parameters))),
            ApiJson.Default.DomainEnd),
        "domain.dump_core" => Dump(Parameters(parameters, ApiJson.Default.DumpParameters)),
        "host.stops" => HostStops(),
        "managed.new" => Define(Parameters(parameters, ApiJson.Default.CreateParameters)),
        "managed.start" => Start(Parameters(parameters, ApiJson.Default.StartParameters)),
        "managed.suspend" => Suspend(Parameters(parameters, ApiJson.Default.DomainParameters)),
        "managed.resume" => Resume(Parameters(parameters, ApiJson.Default.StartParameters)),
        "managed.delete" => Delete(Parameters(parameters, ApiJson.Default.DomainParameters)),
        _ => null,
    };

    /// <summary>The parameters of a request.</summary>
    /// <exception cref="JsonException">They are not what the method takes.</exception>
    public static T Parameters<T>(JsonElement? parameters, JsonTypeInfo<T> type) =>
        parameters is { } given && given.Deserialize(type) is { } read
            ? read
            : throw new JsonException("the method wants parameters");

    /// <summary>The console that is meant, and where the session begins.</summary>
    public (Guid Uuid, long Position) FindConsole(ConsoleParameters wanted)
    {
        int domid = -1;
        string name = wanted.Domain;
        try
        {
            DomainReference domain = _worker.Run(manager => manager.Find(wanted.Domain));
            (domid, name) = (domain.Id, domain.Name);
        }
        catch (ToolstackException)
        {
            // Gone: perhaps what it said is still here.
        }

        return domid == 0
            ? throw new ToolstackException("Domain-0 has no console of this kind: its console is the machine's")
            : _consoles.Find(domid, name, wanted.Since) ?? throw new ToolstackException(domid > 0
                ? $"the domain '{name}' has no console, or another program serves it"
                : $"the domain '{name}' does not exist", "See 'xm list'");
    }

    /// <summary>Hands a connection over to a console.</summary>
    public void AttachConsole(Guid uuid, FileDescriptor connection, long position) =>
        _consoles.Attach(uuid, connection, position);

    private static JsonElement Element<T>(T value, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToElement(value, type);

    private static Guid IdentityOf(JsonElement? parameters) =>
        Guid.TryParse(Parameters(parameters, ApiJson.Default.DomainParameters).Domain, out Guid uuid)
            ? uuid
            : throw new JsonException("domain.ended wants a UUID");

    private JsonElement OnDomain(JsonElement? parameters, Func<DomainManager, string, DomainReference> action)
    {
        string name = Parameters(parameters, ApiJson.Default.DomainParameters).Domain
            ?? throw new JsonException("the method wants a domain");
        return Element(_worker.Run(manager => action(manager, name)), ApiJson.Default.DomainReference);
    }

    private JsonElement Create(CreateParameters wanted) =>
        Element(_worker.Run(manager => manager.Create(wanted.Config, wanted.Paused)), ApiJson.Default.DomainReference);

    private JsonElement HostStops()
    {
        _ = _worker.Run(manager =>
        {
            manager.HostStops();
            return true;
        });
        return Element(Status(), ApiJson.Default.DaemonStatus);
    }

    private JsonElement Rename(RenameParameters wanted) => Element(
        _worker.Run(manager => manager.Rename(wanted.Domain, wanted.Name)), ApiJson.Default.DomainReference);

    private JsonElement ChangeDevice(DeviceChange change) =>
        Element(_worker.Run(manager => manager.ChangeDevice(change)), ApiJson.Default.DomainReference);

    private JsonElement Dump(DumpParameters wanted) =>
        Element(_worker.Run(manager => manager.DumpCore(wanted)), ApiJson.Default.DumpResult);

    private JsonElement Define(CreateParameters wanted) =>
        Element(_worker.Run(manager => manager.Define(wanted.Config)), ApiJson.Default.ManagedDomain);

    private JsonElement Start(StartParameters wanted) => Element(
        _worker.Run(manager => manager.Start(wanted.Domain, wanted.Paused)), ApiJson.Default.DomainReference);

    private JsonElement Suspend(DomainParameters wanted) =>
        Element(_worker.Run(manager => manager.Suspend(wanted.Domain)), ApiJson.Default.ManagedDomain);

    private JsonElement Resume(StartParameters wanted) => Element(
        _worker.Run(manager => manager.Resume(wanted.Domain, wanted.Paused)), ApiJson.Default.DomainReference);

    private JsonElement Delete(DomainParameters wanted) =>
        Element(_worker.Run(manager => manager.Delete(wanted.Domain)), ApiJson.Default.ManagedDomain);
}
