// SPDX-License-Identifier: MIT
using System;
using System.Text;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>What the hypervisor says of itself: <c>xen_version</c>.</summary>
public sealed class VersionControl
{
    private const int TextRoom = 2048;

    private readonly HypercallGate _gate;

    internal VersionControl(HypercallGate gate) => _gate = gate;

    /// <summary>Major and minor number.</summary>
    public (int Major, int Minor) Version()
    {
        int version = HypercallGate.Check(
            _gate.Channel.Call((ulong)HypercallNumber.XenVersion, (ulong)VersionCommand.Version),
            "xen_version version");
        return (version >> 16, version & 0xffff);
    }

    /// <summary>What follows the numbers, such as <c>.5</c>.</summary>
    public string ExtraVersion() => Text(VersionCommand.ExtraVersion, "extraversion");

    /// <summary>Kinds of guests that run, separated by spaces.</summary>
    public string Capabilities() => Text(VersionCommand.Capabilities, "capabilities");

    /// <summary>Revision of the sources.</summary>
    public string ChangeSet() => Text(VersionCommand.ChangeSet, "changeset");

    /// <summary>The hypervisor's own command line.</summary>
    public string CommandLine() => Text(VersionCommand.CommandLine, "commandline");

    /// <summary>First address that no guest can use.</summary>
    public ulong VirtualStart()
    {
        ref PlatformParameters parameters = ref _gate.Prepare<PlatformParameters>();
        _ = HypercallGate.Check(Call(VersionCommand.PlatformParameters), "xen_version platform_parameters");
        return parameters.VirtStart;
    }

    /// <summary>Bytes of a page.</summary>
    public int PageSize() => HypercallGate.Check(
        _gate.Channel.Call((ulong)HypercallNumber.XenVersion, (ulong)VersionCommand.PageSize), "xen_version pagesize");

    /// <summary>Compiler, who compiled, where, when.</summary>
    public unsafe (string Compiler, string By, string Domain, string Date) CompileInfo()
    {
        ref CompileInfo info = ref _gate.Prepare<CompileInfo>();
        _ = HypercallGate.Check(Call(VersionCommand.CompileInfo), "xen_version compile_info");
        fixed (CompileInfo* fields = &info)
        {
            return (Text(new(fields->Compiler, 64)), Text(new(fields->CompileBy, 16)),
                Text(new(fields->CompileDomain, 32)), Text(new(fields->CompileDate, 32)));
        }
    }

    /// <summary>Identity of the build in hexadecimal; empty if the hypervisor has none.</summary>
    public string BuildId()
    {
        _gate.Prepare<BuildId>().Len = TextRoom;
        int length = Call(VersionCommand.BuildId);
        return length <= 0
            ? ""
            : Convert.ToHexString(Bytes(sizeof(uint), Math.Min(length, TextRoom))).ToLowerInvariant();
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private string Text(VersionCommand command, string name)
    {
        _ = _gate.Prepare<byte>();
        _ = HypercallGate.Check(Call(command), $"xen_version {name}");
        return Text(Bytes(0, TextRoom));
    }

    private unsafe ReadOnlySpan<byte> Bytes(int offset, int length) => new((byte*)_gate.Address + offset, length);

    private int Call(VersionCommand command) => _gate.Call(HypercallNumber.XenVersion, (uint)command);
}
