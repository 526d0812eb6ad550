// SPDX-License-Identifier: MIT
// Making a guest kernel run one of its handlers: exceptions, system calls, event upcalls, NMIs. The hypervisor pushes onto the
// guest's kernel stack, ascending,
//
//     rcx  r11  [error code | ds  es  fs  gs]  rip  cs | saved upcall mask << 32  rflags  rsp  ss
//
// and lets the vCPU go on at the handler. rcx and r11 are in the frame because SYSRET, the quick way back, destroys them. CS of
// interrupted kernel code is shown with privilege 0, so that the handler can tell it from user code; IF in the flags is
// the upcall mask, since the processor's own IF never changes for a guest.

using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.Core.Console;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Bounce frames on guest kernel stacks.</summary>
public static unsafe class GuestBounce
{
    public const ushort FlatKernelCs = 0xE033;
    public const ushort FlatKernelSs = 0xE02B;

    /// <summary>Bit of <see cref="CpuUserRegs.EntryVector"/>: the frame may return by SYSRET.</summary>
    public const uint ReturnBySysret = 0x100;

    private const byte MasksEvents = 4;
    private const ulong ClearedFlags =
        Rflags.Tf | Rflags.Vm | Rflags.Rf | Rflags.Nt | Rflags.Iopl | Rflags.Ac;

    /// <summary>The guest's handler for exception <paramref name="vector"/>, without an error code.</summary>
    public static void Inject(Vcpu* vcpu, CpuUserRegs* frame, int vector) => Inject(vcpu, frame, vector, false, 0);

    public static void InjectWithError(Vcpu* vcpu, CpuUserRegs* frame, int vector, uint error) =>
        Inject(vcpu, frame, vector, true, error);

    public static void InjectPageFault(Vcpu* vcpu, CpuUserRegs* frame, ulong address, uint error)
    {
        vcpu->Info->Arch.Cr2 = address;
        Inject(vcpu, frame, Vector.PageFault, true, vcpu->InKernelMode ? error & ~4u : error);
    }

    /// <summary>The upcall: events are pending and not masked.</summary>
    [RuntimeExport("deliver_upcall")]
    public static void DeliverUpcall(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (vcpu->EventCallback == 0)
        {
            return;
        }

        vcpu->Counters.Upcalls++;
        _ = Push(vcpu, frame, vcpu->EventCallback, FlatKernelCs, masksEvents: true, false, 0);
    }

    /// <summary>SYSCALL in guest user mode.</summary>
    [RuntimeExport("syscall_from_guest")]
    public static void Syscall(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (vcpu->SyscallCallback == 0)
        {
            Inject(vcpu, frame, Vector.InvalidOpcode);
            return;
        }

        vcpu->Counters.SystemCalls++;
        _ = Push(vcpu, frame, vcpu->SyscallCallback, FlatKernelCs, vcpu->SyscallMasksEvents, false, 0);
    }

    /// <summary>SYSCALL in 32-bit guest user mode.</summary>
    [RuntimeExport("syscall32_from_guest")]
    public static void Syscall32(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (vcpu->Syscall32Callback == 0 || vcpu->InKernelMode)
        {
            Inject(vcpu, frame, Vector.InvalidOpcode);
            return;
        }

        vcpu->Counters.SystemCalls++;
        _ = Push(vcpu, frame, vcpu->Syscall32Callback, FlatKernelCs, vcpu->Syscall32MasksEvents, false, 0);
    }

    /// <summary>
    /// A data selector of the vCPU could not be loaded at a switch, and null is loaded in its place: the failsafe callback. Its frame
    /// holds the selectors as they were, ds, es, fs and gs, between r11 and rip.
    /// </summary>
    [SkipLocalsInit]
    public static void Failsafe(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (vcpu->FailsafeCallback == 0)
        {
            DomainLifecycle.Crash(vcpu->Domain, "no failsafe callback for a bad segment selector"u8);
            return;
        }

        if (!Push(vcpu, frame, vcpu->FailsafeCallback, FlatKernelCs, vcpu->FailsafeMasksEvents, false, 0))
        {
            return;
        }

        ulong* words = stackalloc ulong[6];
        words[0] = frame->Rcx;
        words[1] = frame->R11;
        words[2] = vcpu->DsSelector;
        words[3] = vcpu->EsSelector;
        words[4] = vcpu->FsSelector;
        words[5] = vcpu->GsSelector;
        frame->Rsp -= 4 * sizeof(ulong);
        if (!GuestMemory.Write(frame->Rsp, words, 6 * sizeof(ulong)))
        {
            BadStack(vcpu, frame, frame->Rsp, vcpu->FailsafeCallback);
        }
    }

    private static void Inject(Vcpu* vcpu, CpuUserRegs* frame, int vector, bool hasError, uint error)
    {
        TrapInfo* handler = vcpu->Traps + vector;
        if (handler->Address == 0)
        {
            NoHandler(vcpu, frame, vector, error);
            return;
        }

        _ = Push(vcpu, frame, handler->Address, (ushort)(handler->Cs | 3), (handler->Flags & MasksEvents) != 0, hasError, error);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void NoHandler(Vcpu* vcpu, CpuUserRegs* frame, int vector, uint error)
    {
        GuestMessages.Error(vcpu->Domain, "v"u8).Decimal(vcpu->Id).Text(": exception "u8).Decimal(vector)
            .Text(", error "u8).Hex(error).Text(", at "u8).Hex(frame->Rip, 16)
            .Text(" and no handler"u8).End();
        DomainLifecycle.Crash(vcpu->Domain, "exception without a handler"u8);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BadStack(Vcpu* vcpu, CpuUserRegs* frame, ulong stack, ulong handler)
    {
        GuestMessages.Error(vcpu->Domain, "v"u8).Decimal(vcpu->Id).Text(": no frame for the handler at "u8).Hex(handler, 16)
            .Text(" can be written at "u8).Hex(stack, 16).Text(", at "u8).Hex(frame->Rip, 16)
            .Text(" with rsp "u8).Hex(frame->Rsp, 16).Text(", root "u8).Hex(vcpu->Cr3Kernel).End();
        DomainLifecycle.Crash(vcpu->Domain, "the kernel stack cannot take an exception frame"u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Push(
        Vcpu* vcpu, CpuUserRegs* frame, ulong handler, ushort codeSelector, bool masksEvents, bool hasError, uint error)
    {
        VcpuInfo* info = vcpu->Info;
        ulong stack;
        ulong cs = frame->Cs;
        if (vcpu->InKernelMode)
        {
            stack = frame->Rsp;
            cs &= 0xFFFC;
        }
        else
        {
            GuestMode.EnterKernel(vcpu);
            stack = vcpu->KernelStack;
        }

        byte mask = info->EventChannelUpcallMask;
        ulong flags = frame->Rflags & ~Rflags.If;
        if (mask == 0)
        {
            flags |= Rflags.If;
        }

        stack = (stack & ~15UL) - (hasError ? 64UL : 56UL);
        if ((stack < MemoryLayout.HypervisorEnd && stack > MemoryLayout.HypervisorStart - 64)
            || !Machine.PushBounceFrame(frame, stack, cs | ((ulong)mask << 32), flags, error, hasError))
        {
            BadStack(vcpu, frame, stack, handler);
            return false;
        }

        if (masksEvents)
        {
            info->EventChannelUpcallMask = 1;
        }

        frame->Rip = handler;
        frame->Cs = codeSelector;
        frame->Rflags = (frame->Rflags & ~ClearedFlags) | Rflags.If;
        frame->Rsp = stack;
        frame->Ss = FlatKernelSs;
        frame->EntryVector |= ReturnBySysret;
        return true;
    }
}
