// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Dom0.Toolstack.Build;

/// <summary>The state in which the first virtual CPU of a guest starts.</summary>
public static class VcpuContextWriter
{
    private const ulong InterruptFlag = 0x200;

    /// <summary>Fills <paramref name="context"/>, which arrives zeroed.</summary>
    public static unsafe void Fill(ref VcpuGuestContext context, PvKernel kernel, PvLayout layout, IGuestFrames memory)
    {
        ulong stackEnd = layout.VirtualAddress(layout.StackFrame + 1);
        context.Flags = VgcfFlags.InKernel | VgcfFlags.Online;
        context.UserRegs.Rip = kernel.Entry;
        context.UserRegs.Rsp = stackEnd;
        context.UserRegs.Rsi = layout.VirtualAddress(layout.StartInfoFrame);
        context.UserRegs.Rflags = InterruptFlag;
        context.UserRegs.Cs = FlatSelector.Ring3Cs64;
        context.UserRegs.Ss = FlatSelector.Ring3Ss64;
        context.UserRegs.Ds = FlatSelector.Ring3Ds64;
        context.UserRegs.Es = FlatSelector.Ring3Ds64;
        context.UserRegs.Fs = FlatSelector.Ring3Ds64;
        context.UserRegs.Gs = FlatSelector.Ring3Ds64;
        context.KernelSs = FlatSelector.Ring3Ss64;
        context.KernelSp = stackEnd;
        context.CtrlReg[3] = memory.MachineFrame(layout.KernelArea.TableFrame(4, 0)) << 12;
    }
}
