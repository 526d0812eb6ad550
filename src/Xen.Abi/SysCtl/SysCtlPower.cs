// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct pm_px_val</c>: one performance state.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PmPxVal
{
    /// <summary><c>freq</c>.</summary>
    public ulong Freq;

    /// <summary><c>residency</c>.</summary>
    public ulong Residency;

    /// <summary><c>count</c>.</summary>
    public ulong Count;
}

/// <summary><c>struct pm_px_stat</c>: use of performance states.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PmPxStat
{
    /// <summary><c>total</c>.</summary>
    public byte Total;

    /// <summary><c>usable</c>.</summary>
    public byte Usable;

    /// <summary><c>last</c>.</summary>
    public byte Last;

    /// <summary><c>cur</c>.</summary>
    public byte Cur;

    /// <summary><c>trans_pt</c>.</summary>
    public ulong TransPt;

    /// <summary><c>pt</c>.</summary>
    public ulong Pt;
}

/// <summary><c>struct pm_cx_stat</c>: use of idle states.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PmCxStat
{
    /// <summary><c>nr</c>.</summary>
    public uint Nr;

    /// <summary><c>last</c>.</summary>
    public uint Last;

    /// <summary><c>idle_time</c>.</summary>
    public ulong IdleTime;

    /// <summary><c>triggers</c>.</summary>
    public ulong Triggers;

    /// <summary><c>residencies</c>.</summary>
    public ulong Residencies;

    /// <summary><c>nr_pc</c>.</summary>
    public uint NrPc;

    /// <summary><c>nr_cc</c>.</summary>
    public uint NrCc;

    /// <summary><c>pc</c>.</summary>
    public ulong Pc;

    /// <summary><c>cc</c>.</summary>
    public ulong Cc;
}

/// <summary><c>struct xen_sysctl_get_pmstat</c>: argument of get_pmstat.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x40)]
public struct SysCtlGetPmStat
{
    /// <summary><c>type</c>: <see cref="PmStatType"/>.</summary>
    [FieldOffset(0x0)]
    public uint Type;

    /// <summary><c>cpuid</c>.</summary>
    [FieldOffset(0x4)]
    public uint CpuId;

    /// <summary><c>u.getpx</c>.</summary>
    [FieldOffset(0x8)]
    public PmPxStat GetPx;

    /// <summary><c>u.getcx</c>.</summary>
    [FieldOffset(0x8)]
    public PmCxStat GetCx;
}

/// <summary><c>struct xen_get_cpufreq_para</c>: state of frequency scaling.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x78)]
public unsafe struct GetCpuFreqPara
{
    /// <summary><c>cpu_num</c>.</summary>
    [FieldOffset(0x0)]
    public uint CpuNum;

    /// <summary><c>freq_num</c>.</summary>
    [FieldOffset(0x4)]
    public uint FreqNum;

    /// <summary><c>gov_num</c>.</summary>
    [FieldOffset(0x8)]
    public uint GovNum;

    /// <summary><c>affected_cpus</c>.</summary>
    [FieldOffset(0x10)]
    public ulong AffectedCpus;

    /// <summary><c>scaling_available_frequencies</c>.</summary>
    [FieldOffset(0x18)]
    public ulong ScalingAvailableFrequencies;

    /// <summary><c>scaling_available_governors</c>.</summary>
    [FieldOffset(0x20)]
    public ulong ScalingAvailableGovernors;

    /// <summary><c>scaling_driver</c>.</summary>
    [FieldOffset(0x28)]
    public fixed byte ScalingDriver[16];

    /// <summary><c>cpuinfo_cur_freq</c>.</summary>
    [FieldOffset(0x38)]
    public uint CpuInfoCurFreq;

    /// <summary><c>cpuinfo_max_freq</c>.</summary>
    [FieldOffset(0x3c)]
    public uint CpuInfoMaxFreq;

    /// <summary><c>cpuinfo_min_freq</c>.</summary>
    [FieldOffset(0x40)]
    public uint CpuInfoMinFreq;

    /// <summary><c>scaling_cur_freq</c>.</summary>
    [FieldOffset(0x44)]
    public uint ScalingCurFreq;

    /// <summary><c>scaling_governor</c>.</summary>
    [FieldOffset(0x48)]
    public fixed byte ScalingGovernor[16];

    /// <summary><c>scaling_max_freq</c>.</summary>
    [FieldOffset(0x58)]
    public uint ScalingMaxFreq;

    /// <summary><c>scaling_min_freq</c>.</summary>
    [FieldOffset(0x5c)]
    public uint ScalingMinFreq;

    /// <summary><c>u.userspace.scaling_setspeed</c>.</summary>
    [FieldOffset(0x60)]
    public uint UserspaceScalingSetspeed;

    /// <summary><c>u.ondemand.sampling_rate_max</c>.</summary>
    [FieldOffset(0x60)]
    public uint OndemandSamplingRateMax;

    /// <summary><c>u.ondemand.sampling_rate_min</c>.</summary>
    [FieldOffset(0x64)]
    public uint OndemandSamplingRateMin;

    /// <summary><c>u.ondemand.sampling_rate</c>.</summary>
    [FieldOffset(0x68)]
    public uint OndemandSamplingRate;

    /// <summary><c>u.ondemand.up_threshold</c>.</summary>
    [FieldOffset(0x6c)]
    public uint OndemandUpThreshold;

    /// <summary><c>turbo_enabled</c>.</summary>
    [FieldOffset(0x70)]
    public int TurboEnabled;
}

/// <summary><c>struct xen_set_cpufreq_gov</c>: choice of a governor.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SetCpuFreqGov
{
    /// <summary><c>scaling_governor</c>: NUL-terminated.</summary>
    public fixed byte ScalingGovernor[16];
}

/// <summary><c>struct xen_set_cpufreq_para</c>: a parameter of a governor.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SetCpuFreqPara
{
    /// <summary><c>ctrl_type</c>.</summary>
    public uint CtrlType;

    /// <summary><c>ctrl_value</c>.</summary>
    public uint CtrlValue;
}

/// <summary><c>struct xen_sysctl_pm_op</c>: argument of pm_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x80)]
public struct SysCtlPmOp
{
    /// <summary><c>cmd</c>: <see cref="PowerManagementCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>cpuid</c>.</summary>
    [FieldOffset(0x4)]
    public uint CpuId;

    /// <summary><c>u.get_para</c>.</summary>
    [FieldOffset(0x8)]
    public GetCpuFreqPara GetPara;

    /// <summary><c>u.set_gov</c>.</summary>
    [FieldOffset(0x8)]
    public SetCpuFreqGov SetGov;

    /// <summary><c>u.set_para</c>.</summary>
    [FieldOffset(0x8)]
    public SetCpuFreqPara SetPara;

    /// <summary><c>u.get_avgfreq</c>.</summary>
    [FieldOffset(0x8)]
    public ulong GetAvgFreq;

    /// <summary><c>u.set_sched_opt_smt</c>.</summary>
    [FieldOffset(0x8)]
    public uint SetSchedOptSmt;

    /// <summary><c>u.get_max_cstate</c>.</summary>
    [FieldOffset(0x8)]
    public uint GetMaxCState;

    /// <summary><c>u.set_max_cstate</c>.</summary>
    [FieldOffset(0x8)]
    public uint SetMaxCState;
}
