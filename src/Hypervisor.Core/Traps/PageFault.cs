// SPDX-License-Identifier: MIT
// Page faults of guests. Nearly all are the guest's own business and bounce. The hypervisor's are four: a selector load that
// looked into the empty LDT window, one that looked where the guest has no GDT, a write of the guest kernel to one of
// its page tables, which are mapped read-only: with the writable-page-tables assist on, the write is carried out on its
// behalf; and one to device memory that only the hypervisor writes (DeviceWrite).

using System.Runtime.CompilerServices;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Handles #PF.</summary>
public static unsafe class PageFault
{
    private const uint Present = 1;
    private const uint Write = 2;
    private const uint User = 4;
    private const uint Reserved = 8;
    private const ulong WritablePageTables = 1UL << 2;

    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        // Of user mode, or of the kernel but no write to a page that is there: the guest's own business.
        uint error = frame->ErrorCode;
        bool isInHole = address - MemoryLayout.HypervisorStart < MemoryLayout.HypervisorEnd - MemoryLayout.HypervisorStart;
        if (isInHole || (vcpu->InKernelMode && (error & (Present | Write | Reserved)) == (Present | Write)))
        {
            Special(vcpu, frame, address, isInHole);
            return;
        }

        GuestBounce.InjectPageFault(vcpu, frame, address, error);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Special(Vcpu* vcpu, CpuUserRegs* frame, ulong address, bool isInHole)
    {
        uint error = frame->ErrorCode;
        if (isInHole)
        {
            if (TryFillLdt(vcpu, address))
            {
                return;
            }

            // The guest sees no more than that nothing is there; a hole in its LDT, where it has put the table.
            error &= ~Present;
            ulong offset = address - (Machine.PerCpuBlock + MemoryLayout.PerCpuLdt);
            if (offset < vcpu->LdtEntries * 8UL)
            {
                address = vcpu->LdtBase + offset;
            }
        }
        else if (((vcpu->Domain->VmAssist & WritablePageTables) != 0 && TryEmulateTableWrite(vcpu, frame, address))
            || (vcpu->Domain->HasHardwareAccess && DeviceWrite.TryEmulate(vcpu, frame, address)))
        {
            return;
        }

        GuestBounce.InjectPageFault(vcpu, frame, address, error);
    }

    /// <summary>A look into the LDT window of this CPU that can be satisfied.</summary>
    public static bool TryFillLdt(Vcpu* vcpu, ulong address)
    {
        ulong offset = address - (Machine.PerCpuBlock + MemoryLayout.PerCpuLdt);
        return offset < 0x10000 && vcpu != null && DescriptorTables.FillLdtWindow(vcpu, offset);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryEmulateTableWrite(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        bool done = EmulateLocked(vcpu, frame, address);
        domain->MmuLock.Release();
        return done;
    }

    [SkipLocalsInit]
    private static bool EmulateLocked(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        Domain* domain = vcpu->Domain;
        ulong* leaf = GuestWalk.LeafSlot(vcpu->KernelRoot, address, out _);
        if (leaf == null || (*leaf & (Pte.Present | Pte.Writable)) != Pte.Present)
        {
            return false;
        }

        Mfn mfn = Pte.FrameOf(*leaf);
        if (!FrameTable.IsValid(mfn))
        {
            return false;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (page->Owner != domain->Id
            || (page->Type & (PageType.Mask | PageType.Validated)) != (PageType.L1 | PageType.Validated)
            || (page->Type & PageType.CountMask) == 0)
        {
            return false;
        }

        CodeBuffer buffer;
        byte* code = (byte*)&buffer;
        int available = CodeBytes.Read(frame->Rip, code);
        DecodedInstruction instruction;
        if (InstructionDecoder.Decode(code, available, CodeWidth.Bits64, out instruction) != DecodeStatus.Ok
            || !instruction.Has(InstructionFlags.Memory)
            || InstructionDecoder.EffectiveAddress(
                instruction, frame, Machine.ReadMsr(Msr.FsBase), Machine.ReadMsr(Msr.GsBase)) != address)
        {
            return false;
        }

        ulong source = 0;
        if (instruction.Kind == InstructionKind.Movs
            && !GuestMemory.Read(
                InstructionDecoder.StringSourceAddress(
                    instruction, frame, Machine.ReadMsr(Msr.FsBase), Machine.ReadMsr(Msr.GsBase)),
                &source,
                instruction.OperandSize))
        {
            return false;
        }

        ulong* slot = (ulong*)Machine.Direct(mfn.Address | (address & MemoryLayout.PageMask & ~7UL));
        int offset = (int)(address & 7);
        if (!PageTableWrite.Evaluate(instruction, frame, offset, *slot, source, out _))
        {
            return false;
        }

        if (EntryUpdate.Emulate(domain, slot, instruction, frame, offset, source, out ulong old) != Errno.Ok)
        {
            return false;
        }

        PageTableWrite.Complete(instruction, frame, offset, old);
        return true;
    }
}
