// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Devices;

/// <summary>A block device by its numbers.</summary>
public readonly record struct BlockNumber(uint Major, uint Minor)
{
    /// <summary>As the back end reads it: hexadecimal.</summary>
    public string Node => $"{Major:x}:{Minor:x}";
}

/// <summary>
/// What a path of Domain-0 leads to: the numbers of a block device, or the identity of a regular file; neither for
/// anything else.
/// </summary>
public readonly record struct HostFile(BlockNumber? Block, (ulong Device, ulong Node)? File);

/// <summary>A file as a block device. Disposing lets go of it: the device lasts as long as the back end has it open.</summary>
public interface ILoopDevice : IDisposable
{
    /// <summary>Its path, such as <c>/dev/loop0</c>.</summary>
    string Path { get; }

    /// <summary>Its numbers.</summary>
    BlockNumber Number { get; }
}

/// <summary>How a program ended: its status, and the last line of what it complained about.</summary>
public readonly record struct ScriptResult(int Status, string Complaint);

/// <summary>Domain-0's kernel, as far as devices of guests need it. Failures are one sentence each.</summary>
public interface IHostDevices
{
    /// <summary>Is the back end's driver there?</summary>
    bool HasDriver(DeviceKind kind);

    /// <summary>What a path leads to.</summary>
    /// <exception cref="ToolstackException">It cannot be opened.</exception>
    HostFile Identify(string path);

    /// <summary>Makes a file a block device.</summary>
    ILoopDevice AttachLoop(string path, bool isReadOnly);

    /// <summary>What Domain-0 itself does with a disk; null when nothing.</summary>
    HostUse? OwnUse(HostFile file);

    /// <summary>Block devices that share bytes with a disk: itself, its partitions or its whole, loop devices over a file.</summary>
    IReadOnlySet<BlockNumber> Overlaps(HostFile file);

    /// <summary>Has the disk's back end opened its device?</summary>
    bool IsDiskOpen(DeviceAddress device);

    /// <summary>Is there a network interface of the name?</summary>
    bool HasInterface(string name);

    /// <summary>Gives an interface that is down another name.</summary>
    void RenameInterface(string name, string newName);

    /// <summary>Makes a bridge unless it exists, and lets it work.</summary>
    void EnsureBridge(string bridge);

    /// <summary>Adds an interface to a bridge and lets it work.</summary>
    void JoinBridge(string bridge, string name);

    /// <summary>Runs a program to its end, for at most half a minute.</summary>
    ScriptResult RunScript(string path, string action, IReadOnlyDictionary<string, string> environment);

    /// <summary>Milliseconds that pass evenly.</summary>
    long Now { get; }

    /// <summary>Waits for a moment.</summary>
    void Pause(int milliseconds);
}
