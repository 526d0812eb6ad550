// SPDX-License-Identifier: MIT
// Long hypercalls run in slices. Between two items the body asks Preemption.IsDue; when it is, the body writes the
// arguments that continue the work into its frame and answers HypercallResult.Preempted. The dispatcher then leaves
// the guest's instruction pointer on the hypercall instruction, so that the call is made again once interrupts, timers and
// the scheduler have had their turn. In a multicall the frame is a copy of the entry, which is written back.
// Whatever continues is the guest's to change meanwhile: a body checks its arguments anew at every entry.

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Asks whether a long operation should give way.</summary>
public static unsafe class Preemption
{
    /// <summary>Serves waiting interrupts; true when something wants to run before this guest.</summary>
    public static bool IsDue()
    {
        Machine.InterruptWindow();
        return Machine.Cpu->SoftIrqPending != 0;
    }
}

/// <summary>Rewrites the arguments of a call that will be made again.</summary>
public static unsafe class Continuation
{
    public static HypercallResult With(CpuUserRegs* frame, ulong a0)
    {
        frame->Rdi = a0;
        return HypercallResult.Preempted;
    }

    public static HypercallResult With(CpuUserRegs* frame, ulong a0, ulong a1)
    {
        frame->Rsi = a1;
        return With(frame, a0);
    }

    public static HypercallResult With(CpuUserRegs* frame, ulong a0, ulong a1, ulong a2)
    {
        frame->Rdx = a2;
        return With(frame, a0, a1);
    }

    public static HypercallResult With(CpuUserRegs* frame, ulong a0, ulong a1, ulong a2, ulong a3)
    {
        frame->R10 = a3;
        return With(frame, a0, a1, a2);
    }
}
