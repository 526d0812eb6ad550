// SPDX-License-Identifier: MIT

using Hypervisor.Core;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.X64.Boot;

/// <summary>What a CPU was doing when it was interrupted for the last time.</summary>
public static unsafe class PanicReport
{
    /// <summary>Registers, the guest or the call chain of the hypervisor, and the guard page of a stack that
    /// overflowed.</summary>
    public static void Print(CpuUserRegs* frame, ulong faultAddress)
    {
        Log.Error("exception "u8).Decimal((int)(byte)frame->EntryVector).Text(", error "u8).Hex(frame->ErrorCode)
            .Text(", CR2 "u8).Hex(faultAddress, 16).Text(", CR3 "u8).Hex(Machine.ReadCr3(), 16).End();
        PrintRegisters(frame);
        PrintGuard(StackGuard.NameOf(faultAddress).IsEmpty ? frame->Rsp : faultAddress);
        if ((frame->Cs & 3) != 0)
        {
            Vcpu* vcpu = (Vcpu*)Machine.Cpu->Current;
            Log.Error("in domain "u8).Decimal((uint)vcpu->Domain->Id).Text(", vCPU "u8).Decimal(vcpu->Id).End();
            return;
        }

        CallChain.Print(frame);
    }

    private static void PrintGuard(ulong address)
    {
        if (!StackGuard.NameOf(address).IsEmpty)
        {
            Log.Error("the unmapped page "u8).Hex(address & ~MemoryLayout.PageMask, 16).Text(" below "u8)
                .Text(StackGuard.NameOf(address)).Text(" of CPU "u8).Decimal(StackGuard.CpuOf(address))
                .Text(" was touched"u8).End();
        }
    }

    private static void PrintRegisters(CpuUserRegs* frame)
    {
        Log.Error("RIP "u8).Hex(frame->Rip, 16).Text(" RSP "u8).Hex(frame->Rsp, 16).Text(" FLAGS "u8)
            .Hex(frame->Rflags).Text(" CS "u8).Hex(frame->Cs).End();
        Log.Error("RAX "u8).Hex(frame->Rax, 16).Text(" RBX "u8).Hex(frame->Rbx, 16).Text(" RCX "u8)
            .Hex(frame->Rcx, 16).Text(" RDX "u8).Hex(frame->Rdx, 16).End();
        Log.Error("RSI "u8).Hex(frame->Rsi, 16).Text(" RDI "u8).Hex(frame->Rdi, 16).Text(" RBP "u8)
            .Hex(frame->Rbp, 16).Text(" R8  "u8).Hex(frame->R8, 16).End();
        Log.Error("R9  "u8).Hex(frame->R9, 16).Text(" R10 "u8).Hex(frame->R10, 16).Text(" R11 "u8)
            .Hex(frame->R11, 16).Text(" R12 "u8).Hex(frame->R12, 16).End();
        Log.Error("R13 "u8).Hex(frame->R13, 16).Text(" R14 "u8).Hex(frame->R14, 16).Text(" R15 "u8)
            .Hex(frame->R15, 16).End();
    }
}
