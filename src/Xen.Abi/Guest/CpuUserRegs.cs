// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct cpu_user_regs</c>: general registers of a vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CpuUserRegs
{
    /// <summary><c>r15</c>.</summary>
    public ulong R15;

    /// <summary><c>r14</c>.</summary>
    public ulong R14;

    /// <summary><c>r13</c>.</summary>
    public ulong R13;

    /// <summary><c>r12</c>.</summary>
    public ulong R12;

    /// <summary><c>rbp</c>.</summary>
    public ulong Rbp;

    /// <summary><c>rbx</c>.</summary>
    public ulong Rbx;

    /// <summary><c>r11</c>.</summary>
    public ulong R11;

    /// <summary><c>r10</c>.</summary>
    public ulong R10;

    /// <summary><c>r9</c>.</summary>
    public ulong R9;

    /// <summary><c>r8</c>.</summary>
    public ulong R8;

    /// <summary><c>rax</c>.</summary>
    public ulong Rax;

    /// <summary><c>rcx</c>.</summary>
    public ulong Rcx;

    /// <summary><c>rdx</c>.</summary>
    public ulong Rdx;

    /// <summary><c>rsi</c>.</summary>
    public ulong Rsi;

    /// <summary><c>rdi</c>.</summary>
    public ulong Rdi;

    /// <summary><c>error_code</c>: private to the hypervisor.</summary>
    public uint ErrorCode;

    /// <summary><c>entry_vector</c>: private to the hypervisor.</summary>
    public uint EntryVector;

    /// <summary><c>rip</c>.</summary>
    public ulong Rip;

    /// <summary><c>cs</c>.</summary>
    public ushort Cs;

    /// <summary><c>_pad0</c>.</summary>
    public fixed ushort Pad0[1];

    /// <summary><c>saved_upcall_mask</c>: upcall mask of the interrupted context.</summary>
    public byte SavedUpcallMask;

    /// <summary><c>_pad1</c>.</summary>
    public fixed byte Pad1[3];

    /// <summary><c>rflags</c>.</summary>
    public ulong Rflags;

    /// <summary><c>rsp</c>.</summary>
    public ulong Rsp;

    /// <summary><c>ss</c>.</summary>
    public ushort Ss;

    /// <summary><c>_pad2</c>.</summary>
    public fixed ushort Pad2[3];

    /// <summary><c>es</c>.</summary>
    public ushort Es;

    /// <summary><c>_pad3</c>.</summary>
    public fixed ushort Pad3[3];

    /// <summary><c>ds</c>.</summary>
    public ushort Ds;

    /// <summary><c>_pad4</c>.</summary>
    public fixed ushort Pad4[3];

    /// <summary><c>fs</c>.</summary>
    public ushort Fs;

    /// <summary><c>_pad5</c>.</summary>
    public fixed ushort Pad5[3];

    /// <summary><c>gs</c>.</summary>
    public ushort Gs;

    /// <summary><c>_pad6</c>.</summary>
    public fixed ushort Pad6[3];
}

/// <summary><c>struct iret_context</c>: frame of the iret hypercall, at the guest RSP.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IretContext
{
    /// <summary><c>rax</c>.</summary>
    public ulong Rax;

    /// <summary><c>r11</c>.</summary>
    public ulong R11;

    /// <summary><c>rcx</c>.</summary>
    public ulong Rcx;

    /// <summary><c>flags</c>: <see cref="VgcfFlags.InSyscall"/> or 0.</summary>
    public ulong Flags;

    /// <summary><c>rip</c>.</summary>
    public ulong Rip;

    /// <summary><c>cs</c>.</summary>
    public ulong Cs;

    /// <summary><c>rflags</c>.</summary>
    public ulong Rflags;

    /// <summary><c>rsp</c>.</summary>
    public ulong Rsp;

    /// <summary><c>ss</c>.</summary>
    public ulong Ss;
}
