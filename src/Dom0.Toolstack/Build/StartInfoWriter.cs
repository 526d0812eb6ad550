// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using System.Text;
using Xen.Abi;

namespace Dom0.Toolstack.Build;

/// <summary>What a new guest is told beside its layout.</summary>
public sealed record StartParameters
{
    /// <summary>Number of guest frames.</summary>
    public required ulong Pages { get; init; }

    /// <summary>Machine frame of the shared page.</summary>
    public required ulong SharedInfoFrame { get; init; }

    /// <summary>Port of the ring to the store.</summary>
    public required uint StorePort { get; init; }

    /// <summary>Port of the console's ring.</summary>
    public required uint ConsolePort { get; init; }

    /// <summary>Bytes of the ramdisk; 0 without one.</summary>
    public required ulong RamdiskSize { get; init; }

    /// <summary>The kernel's command line.</summary>
    public required string CommandLine { get; init; }
}

/// <summary>Writes <c>struct start_info</c> of an unprivileged guest.</summary>
public static class StartInfoWriter
{
    private const int CommandLineOffset = 0x80;

    /// <summary>The structure's bytes.</summary>
    public static unsafe byte[] Create(PvLayout layout, IGuestFrames memory, StartParameters parameters)
    {
        byte[] commandLine = Encoding.UTF8.GetBytes(parameters.CommandLine);
        if (commandLine.Length >= StartInfoLimits.CmdLine)
        {
            throw new ToolstackException(
                $"the kernel's command line has {commandLine.Length} bytes; there is room for "
                    + $"{StartInfoLimits.CmdLine - 1}",
                "Shorten extra or cmdline");
        }

        StartInfo info = new()
        {
            NrPages = parameters.Pages,
            SharedInfo = parameters.SharedInfoFrame << 12,
            Flags = StartInfoFlags.VirtP2M4tools,
            StoreMfn = memory.MachineFrame(layout.StoreFrame),
            StoreEventChannel = parameters.StorePort,
            ConsoleDomUMfn = memory.MachineFrame(layout.ConsoleFrame),
            ConsoleDomUEventChannel = parameters.ConsolePort,
            PtBase = layout.VirtualAddress(layout.KernelArea.TableFrame(4, 0)),
            NrPtFrames = (ulong)layout.KernelArea.TableCount,
            MfnList = layout.P2mArea?.Start ?? layout.VirtualAddress(layout.P2mFrame),
        };
        if (layout.P2mArea is not null)
        {
            info.FirstP2MPfn = layout.P2mFrame;
            info.NrP2MFrames = layout.P2mFrames;
        }

        if (layout.RamdiskPages > 0)
        {
            info.ModLen = parameters.RamdiskSize;
            info.ModStart = layout.IsRamdiskMapped ? layout.VirtualAddress(layout.RamdiskFrame) : layout.RamdiskFrame;
            info.Flags |= layout.IsRamdiskMapped ? 0 : StartInfoFlags.ModStartPfn;
        }

        byte[] bytes = new byte[sizeof(StartInfo)];
        MemoryMarshal.Write(bytes, in info);
        "xen-3.0-x86_64"u8.CopyTo(bytes);
        commandLine.CopyTo(bytes.AsSpan(CommandLineOffset));
        return bytes;
    }
}
