// SPDX-License-Identifier: MIT
// From one vCPU to another on the way back to a guest. The frame at the stack top is the running vCPU's registers, so a switch copies it
// out and the next one's in; the assembly return path never knows. Nothing is switched for the idle loop: the last
// vCPU stays loaded (CpuInfo.Loaded) until another one comes.
//
// Order: extended state first (the merge with VectorSave), then selectors and bases, then the address space, whose descriptor
// windows must be there before the next selectors are loaded.

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Loads and unloads vCPUs on the running CPU.</summary>
public static unsafe class ContextSwitch
{
    private static ulong s_cr4;
    private static bool s_hasTscAux;
    private static bool s_hasPredictionBarrier;

    /// <summary>CR4 bits of the processor that guests may have, and whether it has TSC_AUX and the indirect branch
    /// prediction barrier. Once, at boot.</summary>
    public static void Initialise(ulong cr4, bool hasTscAux, bool hasPredictionBarrier)
    {
        s_cr4 = cr4;
        s_hasTscAux = hasTscAux;
        s_hasPredictionBarrier = hasPredictionBarrier;
    }

    /// <summary>Makes <paramref name="next"/> the vCPU that runs here. Its registers are in the frame afterwards.</summary>
    public static void To(CpuInfo* cpu, Vcpu* next)
    {
        Vcpu* loaded = (Vcpu*)cpu->Loaded;
        if (loaded != next)
        {
            if (loaded != null)
            {
                Unload(cpu, loaded);
            }

            Load(cpu, next, loaded);
        }

        next->Counters.Switches++;
        cpu->Current = next;
    }

    /// <summary>Takes a vCPU that is loaded here but does not run out of the processor, so that its state can be read or
    /// replaced; the running one's is loaded by the next switch.</summary>
    public static void Evict(CpuInfo* cpu, Vcpu* vcpu)
    {
        Unload(cpu, vcpu);
        VcpuRoots.Load(HypervisorSlots.IdleCr3);
        Release(vcpu);
    }

    /// <summary>CR4 bits that the vCPU may set.</summary>
    public static ulong AllowedCr4(Vcpu* vcpu) => s_cr4 & (Cr4.Tsd | Cr4.De | Cr4.Pce | Cr4.FsGsBase | Cr4.OsXsave);

    /// <summary>Loads CR4 as the vCPU wants it; FSGSBASE and OSXSAVE stay on, user code may use them natively.</summary>
    public static void LoadCr4(Vcpu* vcpu) =>
        Machine.WriteCr4((s_cr4 & ~(Cr4.Tsd | Cr4.Pce)) | (vcpu->Cr4Guest & s_cr4 & (Cr4.Tsd | Cr4.Pce)));

    private static void Unload(CpuInfo* cpu, Vcpu* vcpu)
    {
        if (ExtendedState.HostXcr0 != 0)
        {
            Machine.WriteXcr0(ExtendedState.HostXcr0);
        }

        ExtendedState.Save(vcpu);
        vcpu->Registers = cpu->Guest;
        vcpu->DsSelector = Machine.ReadDs();
        vcpu->EsSelector = Machine.ReadEs();
        vcpu->FsSelector = Machine.ReadFs();
        vcpu->GsSelector = Machine.ReadGs();
        vcpu->FsBase = Machine.ReadMsr(Msr.FsBase);
        ulong inUse = Machine.ReadMsr(Msr.GsBase);
        ulong behind = Machine.ReadMsr(Msr.KernelGsBase);
        vcpu->GsBaseKernel = vcpu->InKernelMode ? inUse : behind;
        vcpu->GsBaseUser = vcpu->InKernelMode ? behind : inUse;
        if ((vcpu->DebugRegisters[7] & 0xFF) != 0)
        {
            Machine.WriteDebugRegister(7, 0x400);
        }

        if (vcpu->LdtEntries != 0)
        {
            DescriptorTables.EmptyLdtWindow(vcpu->Domain);
        }

        cpu->Loaded = null;
    }

    /// <summary>Nothing of the vCPU is left in this processor, its root included: it may go elsewhere, or away.</summary>
    private static void Release(Vcpu* vcpu) =>
        System.Threading.Volatile.Write(ref vcpu->LoadedOn, Vcpu.NotLoaded);

    private static void Load(CpuInfo* cpu, Vcpu* vcpu, Vcpu* previous)
    {
        Trace.Record(TraceEvent.Switch, vcpu->Domain->Id, vcpu->Id);
        vcpu->LoadedOn = cpu->CpuId;
        cpu->Loaded = vcpu;
        cpu->Current = vcpu;
        DescriptorTables.LoadGdt(vcpu);
        DescriptorTables.LoadLdt(vcpu);
        VcpuRoots.Load(vcpu->InKernelMode ? vcpu->Cr3Kernel : vcpu->Cr3User);
        if (previous != null)
        {
            Release(previous);
        }

        // What one domain has taught the branch predictor must not steer another one. Whose it was is not known any more
        // after an eviction.
        if (s_hasPredictionBarrier && (previous == null || previous->Domain != vcpu->Domain))
        {
            Machine.WriteMsr(Msr.PredictionCommand, 1);
        }

        LoadCr4(vcpu);
        cpu->Guest = vcpu->Registers;
        cpu->TaskSwitchedSet = vcpu->TaskSwitched ? (byte)1 : (byte)0;
        bool selectors = Machine.LoadDs((ushort)vcpu->DsSelector);
        selectors &= Machine.LoadEs((ushort)vcpu->EsSelector);
        selectors &= Machine.LoadFs((ushort)vcpu->FsSelector);
        selectors &= Machine.LoadGsCurrent((ushort)vcpu->GsSelector);
        Machine.WriteMsr(Msr.FsBase, vcpu->FsBase);
        Machine.WriteMsr(Msr.GsBase, vcpu->InKernelMode ? vcpu->GsBaseKernel : vcpu->GsBaseUser);
        Machine.WriteMsr(Msr.KernelGsBase, vcpu->InKernelMode ? vcpu->GsBaseUser : vcpu->GsBaseKernel);
        if (s_hasTscAux)
        {
            Machine.WriteMsr(Msr.TscAux, vcpu->TscAux);
        }

        if ((vcpu->DebugRegisters[7] & 0xFF) != 0)
        {
            DebugRegisterOps.Load(vcpu);
        }

        if (ExtendedState.HostXcr0 != 0)
        {
            // All components are restored under the widest mask, then the guest's own applies.
            Machine.WriteXcr0(ExtendedState.HostXcr0);
        }

        ExtendedState.Restore(vcpu);
        if (ExtendedState.HostXcr0 != 0)
        {
            Machine.WriteXcr0(vcpu->Xcr0);
        }

        if (!selectors)
        {
            GuestBounce.Failsafe(vcpu, &cpu->Guest);
        }
    }
}
