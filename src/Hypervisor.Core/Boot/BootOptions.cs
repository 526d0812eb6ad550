// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Hypervisor.Sched;

namespace Hypervisor.Core.Boot;

/// <summary>What the command line asks for; <see cref="CommandLine.Parse"/> fills it.</summary>
/// <remarks>Texts point into the command line, which stays where it is.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct BootOptions
{
    /// <summary>Warnings kept; what goes beyond is only counted.</summary>
    public const int MaxWarnings = 24;
    public const int SerialPorts = 2;

    /// <summary>Sizes of Domain-0: wanted, least and most.</summary>
    public MemoryAmount Dom0Memory;
    public MemoryAmount Dom0MemoryMin;
    public MemoryAmount Dom0MemoryMax;

    /// <summary>vCPUs of Domain-0 at least and at most; 0 is not stated.</summary>
    public uint Dom0MinVcpus;
    public uint Dom0MaxVcpus;
    public bool Dom0VcpusPin;

    public SerialOptions Com1;
    public SerialOptions Com2;

    public ConsoleSet Consoles;
    public bool HasConsoles;

    /// <summary>Domain-0 does not get the screen; the hypervisor goes on writing to it.</summary>
    public bool KeepScreen;

    /// <summary>Lines up to this level are shown; -1 is none.</summary>
    public int LogThreshold;

    /// <summary>Lines up to this level are shown at a limited rate.</summary>
    public int LogLimitedThreshold;

    /// <summary>The same for what guests cause.</summary>
    public int GuestLogThreshold;
    public int GuestLogLimitedThreshold;

    /// <summary>Bytes of the log kept for readers; 0 is not stated.</summary>
    public ulong LogRingSize;

    /// <summary>The scheduling policy to start with.</summary>
    public PolicyId Scheduler;

    /// <summary>CPUs to use at most, 0 for all.</summary>
    public uint MaxCpus;
    public bool NoSmp;

    /// <summary>Physical addresses from here on are not used as RAM; 0 is no limit.</summary>
    public ulong MemoryLimit;

    /// <summary>Features that the hypervisor uses where the CPU has them, unless told otherwise.</summary>
    public bool UseSmep;
    public bool UseSmap;
    public bool UseX2Apic;
    public bool NoReboot;
    public bool CpuInfo;
    public bool Watchdog;

    /// <summary>The first module starts without privilege: a micro guest.</summary>
    public bool Guest;

    /// <summary>What stands after <c>--</c>: arguments for Domain-0's kernel.</summary>
    public BootText Dom0Arguments;

    public int WarningCount;
    private fixed ulong _warningText[MaxWarnings];
    private fixed int _warningLength[MaxWarnings];
    private fixed bool _warningMalformed[MaxWarnings];

    /// <summary>Warnings that can be read by number.</summary>
    public readonly int KeptWarnings => WarningCount < MaxWarnings ? WarningCount : MaxWarnings;

    /// <summary>The option that warning <paramref name="index"/> is about, below <see cref="KeptWarnings"/>.</summary>
    /// <param name="index">Number of the warning.</param>
    /// <param name="malformed">True where the option is known but not its value.</param>
    public readonly BootText Warning(int index, out bool malformed)
    {
        Check.That((uint)index < (uint)KeptWarnings, "number of a warning"u8);
        malformed = _warningMalformed[index];
        return new BootText((byte*)_warningText[index], _warningLength[index]);
    }

    internal void Warn(BootText option, bool malformed)
    {
        if (WarningCount < MaxWarnings)
        {
            _warningText[WarningCount] = (ulong)option.Pointer;
            _warningLength[WarningCount] = option.Length;
            _warningMalformed[WarningCount] = malformed;
        }

        WarningCount++;
    }
}

/// <summary>A size in bytes and a share of all memory, or that much less than all.</summary>
public struct MemoryAmount
{
    public const uint MaxPercent = 99;

    public ulong Bytes;

    /// <summary>Added to <see cref="Bytes"/>; at most <see cref="MaxPercent"/>.</summary>
    public byte Percent;
    public bool IsSet;

    /// <summary>The size was written with a minus: it is what remains for others.</summary>
    public bool IsRemainder;

    /// <summary>Bytes out of <paramref name="available"/>; <paramref name="otherwise"/> where nothing was
    /// stated.</summary>
    public readonly ulong Of(ulong available, ulong otherwise)
    {
        if (!IsSet)
        {
            return otherwise;
        }

        ulong share = available / 100 * Percent;
        ulong sum = Bytes > ulong.MaxValue - share ? ulong.MaxValue : Bytes + share;
        return !IsRemainder ? sum : sum < available ? available - sum : 0;
    }
}

/// <summary>Parameters of a serial line (<c>com1=115200,8n1,0x3f8,4</c>).</summary>
public struct SerialOptions
{
    public bool IsSet;

    /// <summary>Bits a second; 0 leaves the divisor as the firmware set it (<c>auto</c>).</summary>
    public uint Baud;

    /// <summary>Bits a second at a divisor of one; 0 is the usual 115200.</summary>
    public uint BaseBaud;

    /// <summary>Sends only while the other side says CTS (an r behind the format).</summary>
    public bool HeedsClearToSend;

    /// <summary>5 to 8.</summary>
    public byte DataBits;

    /// <summary>One of n, o, e, m, s.</summary>
    public byte Parity;
    public byte StopBits;

    /// <summary>I/O port and interrupt; 0 is the usual one.</summary>
    public ushort Port;
    public byte Irq;
}

/// <summary>Where the hypervisor's lines go.</summary>
[System.Flags]
public enum ConsoleSet : uint
{
    None = 0,
    Com1 = 1,
    Com2 = 2,

    /// <summary>Text screen or framebuffer.</summary>
    Screen = 4,
}
