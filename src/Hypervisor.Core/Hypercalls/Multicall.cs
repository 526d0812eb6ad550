// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercall multicall: a list of hypercalls, each with its own result.</summary>
public static unsafe class Multicall
{
    private const ulong EntrySize = 64;
    private const ulong ResultOffset = 8;
    private const ulong ArgumentsOffset = 16;

    /// <returns>Fault: an entry cannot be read or its result written.</returns>
    [SkipLocalsInit]
    public static HypercallResult Run(Vcpu* vcpu, ulong list, uint count, CpuUserRegs* frame)
    {
        if (vcpu->InMulticall)
        {
            return Errno.Inval;
        }

        vcpu->InMulticall = true;
        HypercallResult result = Errno.Ok;
        CpuUserRegs call;
        for (uint index = 0; index < count; index++)
        {
            ulong address = list + (index * EntrySize);
            if (index != 0 && Preemption.IsDue())
            {
                result = Continuation.With(frame, address, count - index);
                break;
            }

            MulticallEntry entry;
            if (!GuestMemory.Read(address, &entry))
            {
                result = Errno.Fault;
                break;
            }

            call.Rax = entry.Op;
            call.Rdi = entry.Args[0];
            call.Rsi = entry.Args[1];
            call.Rdx = entry.Args[2];
            call.R10 = entry.Args[3];
            call.R8 = entry.Args[4];
            call.R9 = entry.Args[5];
            vcpu->Counters.Hypercalls++;
            HypercallResult one = HypercallTable.Dispatch(vcpu, &call);
            if (one.IsPreempted)
            {
                entry.Args[0] = call.Rdi;
                entry.Args[1] = call.Rsi;
                entry.Args[2] = call.Rdx;
                entry.Args[3] = call.R10;
                entry.Args[4] = call.R8;
                entry.Args[5] = call.R9;
                result = GuestMemory.Write(address + ArgumentsOffset, entry.Args, 48)
                    ? Continuation.With(frame, address, count - index)
                    : Errno.Fault;
                break;
            }

            long raw = one.Raw;
            if (!GuestMemory.Write(address + ResultOffset, &raw))
            {
                result = Errno.Fault;
                break;
            }
        }

        vcpu->InMulticall = false;
        return result;
    }
}
