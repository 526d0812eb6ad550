// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Devices;

namespace Dom0.Toolstack.Tests.Fakes;

/// <summary>
/// A Domain-0 whose back ends act while somebody waits: they take what appears in the store, and end when the front end
/// is gone or closes. Time passes only by waiting.
/// </summary>
public sealed class FakeHostDevices(FakeStoreServer store) : IHostDevices
{
    private readonly HashSet<string> _open = [];
    private readonly Dictionary<string, string> _interfaceOf = [];

    /// <summary>What paths lead to.</summary>
    public Dictionary<string, HostFile> Files { get; } = new()
    {
        ["/dev/sdz"] = new HostFile(new BlockNumber(65, 0x90), null),
        ["/a"] = new HostFile(null, (1, 10)),
        ["/alias-of-a"] = new HostFile(null, (1, 10)),
        ["/b"] = new HostFile(null, (1, 11)),
        ["/dev/null"] = default,
    };

    /// <summary>Loop devices that somebody holds.</summary>
    public List<string> Held { get; } = [];

    /// <summary>The number that the next loop device gets.</summary>
    public uint NextLoop { get; set; }

    /// <summary>All that was done to interfaces and by scripts, in order.</summary>
    public List<string> Done { get; } = [];

    public HashSet<string> Interfaces { get; } = ["eth0"];

    /// <summary>Runs before whatever is done to this host; what it throws, the caller gets.</summary>
    public Action? BeforeEach { get; set; }

    public HostUse? Use { get; set; }

    /// <summary>Devices that share bytes with others, beside themselves.</summary>
    public Dictionary<BlockNumber, BlockNumber[]> Shared { get; } = [];

    public bool DriversMissing { get; set; }

    /// <summary>Back ends do nothing.</summary>
    public bool BackendHangs { get; set; }

    /// <summary>Guests do nothing.</summary>
    public bool GuestHangs { get; set; }

    /// <summary>What back ends complain about instead of opening their devices.</summary>
    public string? Refusal { get; set; }

    public Func<string, ScriptResult> Script { get; set; } = _ => default;

    public long Now { get; private set; }

    public bool HasDriver(DeviceKind kind) => !DriversMissing;

    public HostFile Identify(string path) => Files.TryGetValue(path, out HostFile file)
        ? file
        : throw new ToolstackException($"cannot open {path}: ENOENT (does not exist)");

    public ILoopDevice AttachLoop(string path, bool isReadOnly)
    {
        BeforeEach?.Invoke();
        Held.Add(path + (isReadOnly ? " read only" : ""));
        return new Loop(this, NextLoop++);
    }

    public HostUse? OwnUse(HostFile file) => Use;

    public IReadOnlySet<BlockNumber> Overlaps(HostFile file) => file.Block is { } block
        ? new HashSet<BlockNumber>(Shared.GetValueOrDefault(block, [])) { block }
        : new HashSet<BlockNumber>();

    public bool IsDiskOpen(DeviceAddress device) => _open.Contains(device.Backend);

    public bool HasInterface(string name) => Interfaces.Contains(name);

    public void RenameInterface(string name, string newName)
    {
        BeforeEach?.Invoke();
        Done.Add($"rename {name} {newName}");
        _ = Interfaces.Remove(name);
        _ = Interfaces.Add(newName);
        foreach (string backend in _interfaceOf.Where(pair => pair.Value == name).Select(pair => pair.Key).ToArray())
        {
            _interfaceOf[backend] = newName;
        }
    }

    public void EnsureBridge(string bridge)
    {
        BeforeEach?.Invoke();
        Done.Add($"bridge {bridge}");
    }

    public void JoinBridge(string bridge, string name)
    {
        BeforeEach?.Invoke();
        Done.Add($"join {bridge} {name}");
    }

    public ScriptResult RunScript(string path, string action, IReadOnlyDictionary<string, string> environment)
    {
        BeforeEach?.Invoke();
        Done.Add($"run {path} {action} {environment["vif"]}");
        return Script(environment["XENBUS_PATH"]);
    }

    public void Pause(int milliseconds)
    {
        BeforeEach?.Invoke();
        Now += milliseconds;
        if (BackendHangs)
        {
            return;
        }

        // A back end whose nodes were removed ends without having been asked.
        _ = _open.RemoveWhere(backend => !store.Nodes.ContainsKey($"{backend}/state"));
        foreach ((string path, FakeStoreServer.Node node) in store.Nodes.Where(pair =>
            pair.Key.StartsWith("/local/domain/0/backend/v", StringComparison.Ordinal)
            && pair.Key.EndsWith("/state", StringComparison.Ordinal)).ToArray())
        {
            string backend = path[..^"/state".Length];
            Act(backend, node.Value, store.Nodes[$"{backend}/frontend"].Value, store.Nodes[$"{backend}/online"].Value);
        }
    }

    private void Act(string backend, string state, string frontend, string online)
    {
        bool hasFrontend = store.Nodes.TryGetValue($"{frontend}/state", out FakeStoreServer.Node? other);
        if (state == "1" && Refusal is not null)
        {
            store.Put(backend.Replace("/0/backend", "/0/error/backend", StringComparison.Ordinal) + "/error", Refusal);
        }
        else if (state == "1")
        {
            store.Put($"{backend}/state", "2");
            _ = _open.Add(backend);
            string[] words = backend.Split('/');
            if (words[5] == "vif")
            {
                _interfaceOf[backend] = $"vif{words[6]}.{words[7]}";
                _ = Interfaces.Add(_interfaceOf[backend]);
            }
        }
        else if (!hasFrontend || (state == "5" && !GuestHangs))
        {
            store.Put($"{backend}/state", "6");
            _ = _open.Remove(backend);
            _ = _interfaceOf.Remove(backend, out string? gone) && Interfaces.Remove(gone);
        }
        else if (state == "2" && online == "1" && !GuestHangs)
        {
            store.Put($"{frontend}/state", "4");
            store.Put($"{backend}/state", "4");
        }
    }

    private sealed class Loop(FakeHostDevices host, uint number) : ILoopDevice
    {
        public string Path => $"/dev/loop{number}";

        public BlockNumber Number => new(7, number);

        public void Dispose() => host.Held.Clear();
    }
}
