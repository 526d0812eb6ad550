// SPDX-License-Identifier: MIT
//
// A virtual CPU's registers name frames in four places: the roots of its page tables (cr3; and cr1 for user mode, where
// bit 0 says that there is one), the pages of its descriptor table, and, on virtual CPU 0, rdx, in which a guest that
// suspends itself passes its start-up page. All are machine frames while the domain exists and guest frames in a file.
using System;
using System.Runtime.InteropServices;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Translates and checks the frames in a <see cref="VcpuGuestContext"/>.</summary>
internal static unsafe class SavedRegisters
{
    private const int DescriptorsPerPage = 512;
    private const ulong MaximumDescriptors = 8192;

    /// <summary>Frame for frame: returns the other side's number, or null when there is none.</summary>
    public delegate ulong? Translation(ulong frame);

    /// <summary>The start-up page that virtual CPU 0 names.</summary>
    public static ulong StartInfoFrame(ReadOnlySpan<byte> registers) =>
        MemoryMarshal.Read<VcpuGuestContext>(registers).UserRegs.Rdx;

    /// <summary>Sets the start-up page that virtual CPU 0 names.</summary>
    public static void SetStartInfoFrame(Span<byte> registers, ulong frame) => Of(registers).UserRegs.Rdx = frame;

    /// <summary>What the guest sees as the result of its call to suspend itself.</summary>
    public static void SetResult(Span<byte> registers, ulong result) => Of(registers).UserRegs.Rax = result;

    /// <summary>Why the registers cannot be restored over these frames; null when they can.</summary>
    public static string? Check(ReadOnlySpan<byte> registers, FrameKinds frames)
    {
        VcpuGuestContext context = MemoryMarshal.Read<VcpuGuestContext>(registers);
        if (context.GdtEnts > MaximumDescriptors)
        {
            return $"the descriptor table would have {context.GdtEnts} entries";
        }

        for (int page = 0; page < DescriptorPages(context); page++)
        {
            if (!frames.HasMemory(context.GdtFrames[page]))
            {
                return $"the descriptor table lies in guest frame {context.GdtFrames[page]:x}, of which the file holds "
                    + "no page";
            }
        }

        return CheckRoot("cr3", context.CtrlReg[3], frames)
            ?? ((context.CtrlReg[1] & 1) != 0 ? CheckRoot("user cr3", context.CtrlReg[1], frames) : null);
    }

    /// <summary>Machine frames become guest frames; returns what has none, or null.</summary>
    public static string? ToGuestFrames(Span<byte> registers, Translation translate)
    {
        ref VcpuGuestContext context = ref Of(registers);
        if (context.GdtEnts > MaximumDescriptors)
        {
            return $"a descriptor table of {context.GdtEnts} entries";
        }

        for (int page = 0; page < DescriptorPages(context); page++)
        {
            if (translate(context.GdtFrames[page]) is not { } frame)
            {
                return $"the descriptor table's frame {context.GdtFrames[page]:x}";
            }

            context.GdtFrames[page] = frame;
        }

        if (translate(context.CtrlReg[3] >> SaveFileLayout.PageShift) is not { } root)
        {
            return $"cr3, {context.CtrlReg[3]:x}";
        }

        context.CtrlReg[3] = root << SaveFileLayout.PageShift;
        if (context.CtrlReg[1] != 0)
        {
            if (translate(context.CtrlReg[1] >> SaveFileLayout.PageShift) is not { } user)
            {
                return $"the user mode's cr3, {context.CtrlReg[1]:x}";
            }

            context.CtrlReg[1] = (user << SaveFileLayout.PageShift) | 1;
        }

        return null;
    }

    /// <summary>Guest frames, which <see cref="Check"/> has found good, become machine frames.</summary>
    public static void ToMachineFrames(Span<byte> registers, Func<ulong, ulong> translate)
    {
        ref VcpuGuestContext context = ref Of(registers);
        for (int page = 0; page < DescriptorPages(context); page++)
        {
            context.GdtFrames[page] = translate(context.GdtFrames[page]);
        }

        context.CtrlReg[3] = translate(context.CtrlReg[3] >> SaveFileLayout.PageShift) << SaveFileLayout.PageShift;
        context.CtrlReg[1] = (context.CtrlReg[1] & 1) != 0
            ? translate(context.CtrlReg[1] >> SaveFileLayout.PageShift) << SaveFileLayout.PageShift
            : 0;
    }

    private static ref VcpuGuestContext Of(Span<byte> registers) =>
        ref MemoryMarshal.AsRef<VcpuGuestContext>(registers);

    private static int DescriptorPages(in VcpuGuestContext context) =>
        (int)((context.GdtEnts + DescriptorsPerPage - 1) / DescriptorsPerPage);

    private static string? CheckRoot(string register, ulong value, FrameKinds frames)
    {
        ulong frame = value >> SaveFileLayout.PageShift;
        return frame < frames.Count && PageKind.TableLevel(frames[frame]) == 4
            ? null
            : $"{register} is {value:x}, and guest frame {frame:x} is no top-level page table";
    }
}
