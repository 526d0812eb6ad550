// SPDX-License-Identifier: MIT

using System;
using System.Runtime.CompilerServices;
using Hypervisor.Core.Emulation;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercall xen_version. Guests also make it for its side effect: pending events are delivered on the way back.</summary>
public static unsafe class VersionOps
{
    private struct Text
    {
        public fixed byte Bytes[1024];
    }

    private static byte* s_commandLine;
    private static int s_commandLineLength;

    /// <summary>Remembers the boot loader's command line; the memory stays.</summary>
    public static void SetCommandLine(byte* text, int length)
    {
        s_commandLine = text;
        s_commandLineLength = length;
    }

    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong argument) =>
        command == (uint)VersionCommand.Version
            ? HypercallResult.Value((long)((CpuidPolicy.XenMajor << 16) | CpuidPolicy.XenMinor))
            : Other(vcpu, command, argument);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult Other(Vcpu* vcpu, uint command, ulong argument)
    {
        switch ((VersionCommand)command)
        {
            case VersionCommand.ExtraVersion:
                return Write(argument, ".0-csharp"u8, 16);
            case VersionCommand.CompileInfo:
                return CompileInfo(argument);
            case VersionCommand.Capabilities:
                return Write(argument, "xen-3.0-x86_64"u8, 1024);
            case VersionCommand.ChangeSet:
                return Write(argument, "unavailable"u8, 64);
            case VersionCommand.PlatformParameters:
                ulong start = MemoryLayout.HypervisorStart;
                return GuestMemory.Write(argument, &start, 8) ? Errno.Ok : Errno.Fault;
            case VersionCommand.GetFeatures:
                FeatureInfo features;
                if (!GuestMemory.Read(argument, &features, 8))
                {
                    return Errno.Fault;
                }

                if (features.SubMapIdx != 0)
                {
                    return Errno.Inval;
                }

                features.SubMap = XenFeatures.ForPv(vcpu->Domain->Id == 0);
                return GuestMemory.Write(argument, &features, 8) ? Errno.Ok : Errno.Fault;
            case VersionCommand.PageSize:
                return HypercallResult.Value((long)MemoryLayout.PageSize);
            case VersionCommand.GuestHandle:
                return GuestMemory.Write(argument, vcpu->Domain->Handle, 16) ? Errno.Ok : Errno.Fault;
            case VersionCommand.CommandLine:
                if (!vcpu->Domain->IsPrivileged)
                {
                    return Write(argument, "<denied>"u8, 1024);
                }

                return Write(argument, new ReadOnlySpan<byte>(s_commandLine, s_commandLineLength), 1024);
            case VersionCommand.BuildId:
                return Errno.NoData;
            default:
                return Errno.NoSys;
        }
    }

    private static HypercallResult CompileInfo(ulong argument)
    {
        CompileInfo info = default;
        Copy(info.Compiler, "ILCompiler 10.0"u8);
        Copy(info.CompileBy, "root"u8);
        Copy(info.CompileDomain, "localdomain"u8);
        Copy(info.CompileDate, "reproducible build"u8);
        return GuestMemory.Write(argument, &info, (nuint)sizeof(CompileInfo)) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>Writes a NUL-padded field of <paramref name="size"/> bytes at most 1024.</summary>
    private static HypercallResult Write(ulong argument, ReadOnlySpan<byte> value, int size)
    {
        Text text = default;
        int length = value.Length < size ? value.Length : size - 1;
        for (int index = 0; index < length; index++)
        {
            text.Bytes[index] = value[index];
        }

        return GuestMemory.Write(argument, text.Bytes, (nuint)size) ? Errno.Ok : Errno.Fault;
    }

    private static void Copy(byte* target, ReadOnlySpan<byte> value)
    {
        for (int index = 0; index < value.Length; index++)
        {
            target[index] = value[index];
        }
    }
}
