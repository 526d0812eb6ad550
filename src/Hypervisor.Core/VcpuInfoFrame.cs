// SPDX-License-Identifier: MIT
// A guest may have the record of a vCPU in memory of its own (VCPUOP_register_vcpu_info). The frame then has a
// reference with write access that lasts as long as the vCPU, so it can neither leave the domain nor become a page
// table.

using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Registered vcpu_info records.</summary>
public static unsafe class VcpuInfoFrame
{
    /// <summary>Moves the record to <paramref name="offset"/> in a writable frame of the domain.</summary>
    /// <returns>
    /// Inval: not within one frame, not aligned, not the domain's writable memory, or another record is registered.
    /// The same place
    /// may be registered again, as a kernel does that goes on after a suspend that was called off.
    /// </returns>
    /// <remarks>Precondition: the vCPU is the caller or does not run.</remarks>
    public static Errno Register(Vcpu* vcpu, ulong mfn, uint offset)
    {
        Mfn frame = new(mfn);
        if (offset > MemoryLayout.PageSize - (uint)sizeof(VcpuInfo) || (offset & 7) != 0 || !FrameTable.IsValid(frame))
        {
            return Errno.Inval;
        }

        VcpuInfo* record = (VcpuInfo*)((byte*)Machine.Direct(frame) + offset);
        if (!vcpu->InfoFrame.IsNone)
        {
            return vcpu->Info == record ? Errno.Ok : Errno.Inval;
        }

        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        bool taken = PageReference.TryGetWritable(FrameTable.Page(frame), domain);
        domain->MmuLock.Release();
        if (!taken)
        {
            return Errno.Inval;
        }

        *record = *vcpu->Info;
        vcpu->InfoFrame = frame;
        Interlocked.MemoryBarrier();
        vcpu->Info = record;

        // What was raised in the old record between the copy and the switch is raised again here.
        EventDelivery.AfterInfoMoved(vcpu);
        GuestTime.Publish(vcpu);
        return Errno.Ok;
    }

    /// <summary>The vCPU will never run again: its record moves to where nobody sees it.</summary>
    internal static void Release(Vcpu* vcpu)
    {
        if (vcpu->InfoFrame.IsNone)
        {
            return;
        }

        PageInfo* page = FrameTable.Page(vcpu->InfoFrame);
        vcpu->Info = DomainFactory.OwnInfo(vcpu);
        vcpu->InfoFrame = Mfn.None;
        PageReference.PutWritable(page);
    }
}
