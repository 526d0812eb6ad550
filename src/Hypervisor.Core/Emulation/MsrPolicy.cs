// SPDX-License-Identifier: MIT
//
// A PV guest runs at CPL 3, so each of its RDMSRs and WRMSRs faults and comes here. Most MSRs are none of its
// business: #GP, which kernels on Xen survive and take for "not there". The rest falls into a few kinds (MsrAction):
// state that the vCPU really has, values that are fixed, a few harmless ones of the machine's, and writes that
// kernels make out of habit.
//
// Both functions are pure. They check whatever can be checked, canonical addresses and reserved bits included, so that
// the caller just carries out the answer.
//
// MSR numbers: Intel SDM Vol. 4; AMD APM Vol. 2, appendix A, and the BIOS and kernel developer's guides.
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>Decides on a guest's accesses to model-specific registers.</summary>
public static unsafe class MsrPolicy
{
    /// <summary>The page attribute table that all guests live with.</summary>
    public const ulong PageAttributeTable = 0x0000_0501_0007_0406;

    // Two banks of machine-check registers, as every kernel expects some; nothing is ever reported in them.
    private const uint MachineCheckBanks = 2;
    private const uint FirstBankMsr = 0x400;
    private const uint MsrsPerBank = 4;

    private const ulong EferBase = 0x501; // SCE, LME, LMA
    private const ulong EferNxe = 0x800;

    // Base address FEE00000h, enabled; the boot processor has bit 8 as well.
    private const ulong ApicBase = 0xFEE0_0800;
    private const ulong ApicBootProcessor = 0x100;

    // No branch trace store, no precise event sampling, xTPR messages off.
    private const ulong MiscEnable = 0x0080_1800;
    private const ulong HwcrTscAtP0 = 1ul << 24;
    private const ulong FeatureControlLocked = 1;

    private const ulong SpecCtrlIbrs = 1;
    private const ulong SpecCtrlStibp = 2;
    private const ulong SpecCtrlSsbd = 4;

    /// <summary>RDMSR. The value has a meaning with <see cref="MsrAction.Known"/> alone.</summary>
    public static MsrAction Read(uint msr, in MsrContext context, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case 0xC000_0102:
                return MsrAction.KernelGsBase;
            case 0xC000_0101:
                return MsrAction.GsBase;
            case 0xC000_0100:
                return MsrAction.FsBase;
            case 0xC000_0103:
                return HasTscAux(context) ? MsrAction.TscAux : MsrAction.Fault;
            case 0xC000_0080:
                value = EferView(context);
                return MsrAction.Known;
            case 0x10:
                return MsrAction.Tsc;
            case 0x1B:
                value = ApicBase | (context.VcpuId == 0 ? ApicBootProcessor : 0);
                return MsrAction.Known;
            case 0x8B: // microcode revision, of both vendors
                return MsrAction.Host;
            case 0x277:
                value = PageAttributeTable;
                return MsrAction.Known;
            case 0x179:
                value = MachineCheckBanks;
                return MsrAction.Known;
            case 0x17A:
                return MsrAction.Known;
            case >= FirstBankMsr and < FirstBankMsr + MachineCheckBanks * MsrsPerBank:
                value = msr % MsrsPerBank == 0 ? ulong.MaxValue : 0; // CTL: all of them enabled
                return MsrAction.Known;
            case CpuidPolicy.HypercallPageMsr:
                return MsrAction.Known;
            case 0x10A when CpuidPolicy.Has(context.Policy, CpuFeature.ArchCaps):
                value = context.Policy->ArchCapabilities;
                return MsrAction.Known;
            case 0x48 when CpuidPolicy.Has(context.Policy, CpuFeature.Ibrsb):
                return MsrAction.SpecCtrl;
        }

        MsrAction action = CpuidPolicy.Vendor(context.Policy) switch
        {
            CpuVendor.Intel => ReadIntel(msr, context, out value),
            CpuVendor.Amd => ReadAmd(msr, context, out value),
            _ => MsrAction.Fault,
        };
        return action == MsrAction.Fault && context.IsRelaxed && IsUnknown(msr) ? MsrAction.Known : action;
    }

    /// <summary>WRMSR.</summary>
    public static MsrAction Write(uint msr, ulong value, in MsrContext context)
    {
        switch (msr)
        {
            case 0xC000_0102:
                return IsCanonical(value) ? MsrAction.KernelGsBase : MsrAction.Fault;
            case 0xC000_0101:
                return IsCanonical(value) ? MsrAction.GsBase : MsrAction.Fault;
            case 0xC000_0100:
                return IsCanonical(value) ? MsrAction.FsBase : MsrAction.Fault;
            case 0xC000_0103:
                return HasTscAux(context) && value <= uint.MaxValue ? MsrAction.TscAux : MsrAction.Fault;
            case 0xC000_0080:
                return value == EferView(context) ? MsrAction.Ignore : MsrAction.Fault;
            case 0x277:
                return value == PageAttributeTable ? MsrAction.Ignore : MsrAction.Fault;
            case 0x17A:
                return value == 0 ? MsrAction.Ignore : MsrAction.Fault;
            case >= FirstBankMsr and < FirstBankMsr + MachineCheckBanks * MsrsPerBank:
                // Only 0 can be written to STATUS, ADDR and MISC (Intel SDM Vol. 3B §16.3.2.2).
                return msr % MsrsPerBank == 0 || value == 0 ? MsrAction.Ignore : MsrAction.Fault;
            case CpuidPolicy.HypercallPageMsr:
                return (value & 0xFFF) == 0 ? MsrAction.HypercallPage : MsrAction.Fault; // the only page is number 0
            case 0x48:
                return (value & ~SpecCtrlBits(context)) == 0 && CpuidPolicy.Has(context.Policy, CpuFeature.Ibrsb)
                    ? MsrAction.SpecCtrl
                    : MsrAction.Fault;
            case 0x49:
                bool hasBarrier = CpuidPolicy.Has(context.Policy, CpuFeature.Ibrsb)
                    || CpuidPolicy.Has(context.Policy, CpuFeature.Ibpb);
                return !hasBarrier || value > 1 ? MsrAction.Fault
                    : value == 1 ? MsrAction.PredictionBarrier
                    : MsrAction.Ignore;
        }

        MsrAction action = CpuidPolicy.Vendor(context.Policy) switch
        {
            CpuVendor.Intel => WriteIntel(msr),
            CpuVendor.Amd => WriteAmd(msr, context),
            _ => MsrAction.Fault,
        };
        return action == MsrAction.Fault && context.IsRelaxed && IsUnknown(msr) ? MsrAction.Ignore : action;
    }

    private static MsrAction ReadIntel(uint msr, in MsrContext context, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case 0x17: // platform id, a part of the microcode's identity
                return MsrAction.Host;
            case 0x3A:
                value = FeatureControlLocked;
                return MsrAction.Known;
            case 0xCE:
                value = context.Policy->PlatformInfo;
                return MsrAction.Known;
            case 0x1A0:
                value = MiscEnable;
                return MsrAction.Known;
            case 0x198: // P-state, current and wanted: the hypervisor's
            case 0x199:
                return MsrAction.Known;
            default:
                return IsIntelPerformanceCounter(msr) ? MsrAction.Known : MsrAction.Fault;
        }
    }

    private static MsrAction WriteIntel(uint msr) => msr switch
    {
        0x8B => MsrAction.Ignore, // comes before reading the microcode revision
        0x199 => MsrAction.Ignore,
        0x1A0 => MsrAction.Ignore,
        _ => IsIntelPerformanceCounter(msr) ? MsrAction.Ignore : MsrAction.Fault,
    };

    private static MsrAction ReadAmd(uint msr, in MsrContext context, out ulong value)
    {
        value = 0;
        switch (msr)
        {
            case >= 0xC001_0000 and <= 0xC001_0007: // performance counters, which read as idle
                return MsrAction.Known;
            case 0xC001_0015:
                value = HwcrTscAtP0;
                return MsrAction.Known;
            case 0xC001_0055: // interrupt pending message: no C1E
                return MsrAction.Known;
            case 0xC001_1029: // DE_CFG, which tells whether LFENCE serialises
                return MsrAction.Host;
            case 0xC001_0010: // SYSCFG
            case 0xC001_001A: // TOP_MEM
            case 0xC001_001D: // TOP_MEM2
            case 0xC001_0058: // base of the PCI configuration space
                return context.HasHardwareAccess ? MsrAction.Host : MsrAction.Fault;
            default:
                return MsrAction.Fault;
        }
    }

    private static MsrAction WriteAmd(uint msr, in MsrContext context) => msr switch
    {
        >= 0xC001_0000 and <= 0xC001_0007 => MsrAction.Ignore,
        0xC001_0015 or 0xC001_1029 => MsrAction.Ignore,
        0xC001_0058 when context.HasHardwareAccess => MsrAction.Ignore,
        _ => MsrAction.Fault,
    };

    // Guests have no counters; leaf Ah says so, but kernels probe them all the same.
    private static bool IsIntelPerformanceCounter(uint msr) =>
        msr is (>= 0xC1 and <= 0xC8) or (>= 0x186 and <= 0x18D) or (>= 0x309 and <= 0x30B) or (>= 0x38D and <= 0x390);

    // MSRs that are understood and refused stay refused for a relaxed domain: their absence is a fact it has been told.
    private static bool IsUnknown(uint msr) =>
        msr is not (0x48 or 0x49 or 0x10A or 0x277 or 0xC000_0080 or 0xC000_0103);

    private static bool HasTscAux(in MsrContext context) =>
        CpuidPolicy.Has(context.Policy, CpuFeature.Rdtscp) || CpuidPolicy.Has(context.Policy, CpuFeature.Rdpid);

    private static ulong EferView(in MsrContext context) =>
        EferBase | (CpuidPolicy.Has(context.Policy, CpuFeature.Nx) ? EferNxe : 0);

    private static ulong SpecCtrlBits(in MsrContext context) =>
        SpecCtrlIbrs
        | (CpuidPolicy.Has(context.Policy, CpuFeature.Stibp) ? SpecCtrlStibp : 0)
        | (CpuidPolicy.Has(context.Policy, CpuFeature.Ssbd) ? SpecCtrlSsbd : 0);

    private static bool IsCanonical(ulong address) => (ulong)((long)(address << 16) >> 16) == address;
}
