// SPDX-License-Identifier: MIT
using System;
using System.Threading;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>Creation, state and end of domains: <c>domctl</c>, interface version 0x15.</summary>
public sealed class DomainControl
{
    private const int EventChannelLimit = 1023;
    private const int BitmapBytes = CpuSet.Limit / 8;
    private const int RetryMilliseconds = 1;

    private readonly HypercallGate _gate;

    internal DomainControl(HypercallGate gate) => _gate = gate;

    /// <summary>Creates an empty paravirtualized domain; the hypervisor chooses its number.</summary>
    public unsafe DomId Create(Guid uuid, int maximumVcpus, int grantVersion)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.CreateDomain, default);
        fixed (byte* handle = call.CreateDomain.Handle)
        {
            _ = uuid.TryWriteBytes(new Span<byte>(handle, 16), bigEndian: true, out _);
        }

        call.CreateDomain.MaxVcpus = (uint)maximumVcpus;
        call.CreateDomain.MaxEventChannelPort = EventChannelLimit;
        call.CreateDomain.MaxGrantFrames = -1;
        call.CreateDomain.MaxMapTrackFrames = -1;
        call.CreateDomain.GrantOpts = (uint)grantVersion;
        Run("createdomain");
        return call.Domain;
    }

    /// <summary>Gives a domain another identity.</summary>
    public unsafe void SetHandle(DomId domain, Guid uuid)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SetDomainHandle, domain);
        fixed (byte* handle = call.SetDomainHandle.Handle)
        {
            _ = uuid.TryWriteBytes(new Span<byte>(handle, 16), bigEndian: true, out _);
        }

        Run("setdomainhandle", domain);
    }

    /// <summary>Allocates the virtual CPUs.</summary>
    public void SetMaximumVcpus(DomId domain, int count)
    {
        Prepare(DomCtlCommand.MaxVcpus, domain).MaxVcpus.Max = (uint)count;
        Run("max_vcpus", domain);
    }

    /// <summary>Ends a domain and gives its memory back; returns when that is done.</summary>
    public void Destroy(DomId domain)
    {
        while (true)
        {
            _ = Prepare(DomCtlCommand.DestroyDomain, domain);
            int result = _gate.Call(HypercallNumber.DomCtl);
            switch (-result)
            {
                case LibcErrno.TryAgain or LibcErrno.Restart:
                    // The hypervisor did a share of the work and wants to be asked for the next one.
                    continue;
                case LibcErrno.Busy:
                    Thread.Sleep(RetryMilliseconds);
                    continue;
                default:
                    _ = HypercallGate.Check(result, "domctl destroydomain", $"domain {domain.Raw}");
                    return;
            }
        }
    }

    /// <summary>Stops a domain's virtual CPUs until <see cref="Unpause"/>.</summary>
    public void Pause(DomId domain) => RunPlain(DomCtlCommand.PauseDomain, "pausedomain", domain);

    /// <summary>Lets a paused domain run.</summary>
    public void Unpause(DomId domain) => RunPlain(DomCtlCommand.UnpauseDomain, "unpausedomain", domain);

    /// <summary>What the hypervisor knows of a domain, or null when there is none of that number.</summary>
    public DomainInfo? TryGetInfo(int id)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetDomainInfo, new DomId((ushort)id));
        int result = _gate.Call(HypercallNumber.DomCtl);
        if (result == -LibcErrno.NoSuchProcess)
        {
            return null;
        }

        _ = HypercallGate.Check(result, "domctl getdomaininfo", $"domain {id}");
        return call.GetDomainInfo.Domain.Raw == id ? Convert(in call.GetDomainInfo) : null;
    }

    /// <summary>Sets how much memory the domain may ever have.</summary>
    public void SetMaximumMemory(DomId domain, ulong kiB)
    {
        Prepare(DomCtlCommand.MaxMem, domain).MaxMem.MaxMemKb = kiB;
        Run("max_mem", domain);
    }

    /// <summary>Sets how the domain sees the time stamp counter.</summary>
    public void SetTscMode(DomId domain, int mode)
    {
        Prepare(DomCtlCommand.SetTscInfo, domain).TscInfo.TscMode = (uint)mode;
        Run("settscinfo", domain);
    }

    /// <summary>Sets what CPUID and feature MSRs tell the domain.</summary>
    public void SetCpuPolicy(DomId domain, CpuPolicy policy)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SetCpuPolicy, domain);
        call.CpuPolicy.Leaves = policy.Leaves.Address;
        call.CpuPolicy.NrLeaves = policy.LeafCount;
        call.CpuPolicy.Msrs = policy.Msrs.Address;
        call.CpuPolicy.NrMsrs = policy.MsrCount;
        call.CpuPolicy.ErrLeaf = call.CpuPolicy.ErrSubleaf = call.CpuPolicy.ErrMsr = uint.MaxValue;
        int result = _gate.Call(HypercallNumber.DomCtl);
        string objection = call.CpuPolicy.ErrLeaf != uint.MaxValue
            ? $", CPUID leaf {call.CpuPolicy.ErrLeaf:x}.{call.CpuPolicy.ErrSubleaf:x}"
            : call.CpuPolicy.ErrMsr != uint.MaxValue ? $", MSR {call.CpuPolicy.ErrMsr:x}" : "";
        _ = HypercallGate.Check(result, "domctl set_cpu_policy", $"domain {domain.Raw}{objection}");
    }

    /// <summary>Fills a page of the domain with stubs that make hypercalls.</summary>
    public void InitialiseHypercallPage(DomId domain, ulong frame)
    {
        Prepare(DomCtlCommand.HypercallInit, domain).HypercallInit.Gmfn = frame;
        Run("hypercall_init", domain);
    }

    /// <summary>
    /// Sets a virtual CPU's whole state; <paramref name="context"/> holds a <see cref="VcpuGuestContext"/>.
    /// </summary>
    public void SetVcpuContext(DomId domain, int vcpu, NativeRegion context)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SetVcpuContext, domain);
        call.VcpuContext.Vcpu = (uint)vcpu;
        call.VcpuContext.Ctxt = context.Address;
        Run("setvcpucontext", domain);
    }

    /// <summary>
    /// Reads a virtual CPU's whole state into <paramref name="context"/>; false when that CPU was never started.
    /// </summary>
    public bool TryGetVcpuContext(DomId domain, int vcpu, NativeRegion context)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetVcpuContext, domain);
        call.VcpuContext.Vcpu = (uint)vcpu;
        call.VcpuContext.Ctxt = context.Address;
        int result = _gate.Call(HypercallNumber.DomCtl);
        if (result is -LibcErrno.NoData or -LibcErrno.NoSuchProcess)
        {
            return false;
        }

        _ = HypercallGate.Check(result, "domctl getvcpucontext", $"virtual CPU {vcpu} of domain {domain.Raw}");
        return true;
    }

    /// <summary>Where and how long a virtual CPU runs; null when there is none of that number.</summary>
    public DomCtlGetVcpuInfo? TryGetVcpu(DomId domain, int vcpu)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetVcpuInfo, domain);
        call.GetVcpuInfo.Vcpu = (uint)vcpu;
        int result = _gate.Call(HypercallNumber.DomCtl);
        if (result is -LibcErrno.NoSuchProcess or -LibcErrno.NoEntry or -LibcErrno.Invalid)
        {
            return null;
        }

        _ = HypercallGate.Check(result, "domctl getvcpuinfo", $"virtual CPU {vcpu} of domain {domain.Raw}");
        return call.GetVcpuInfo;
    }

    /// <summary>The CPUs on which a virtual CPU may run.</summary>
    public CpuSet GetAffinity(DomId domain, int vcpu)
    {
        using NativeRegion bitmap = PrepareAffinity(DomCtlCommand.GetVcpuAffinity, domain, vcpu);
        Run("getvcpuaffinity", domain);
        return CpuSet.FromBitmap(bitmap.Bytes[..BitmapBytes]);
    }

    /// <summary>Sets the CPUs on which a virtual CPU may run.</summary>
    public void SetAffinity(DomId domain, int vcpu, CpuSet cpus)
    {
        using NativeRegion bitmap = PrepareAffinity(DomCtlCommand.SetVcpuAffinity, domain, vcpu);
        cpus.CopyTo(bitmap.Bytes[..BitmapBytes]);
        Run("setvcpuaffinity", domain);
    }

    /// <summary>Weight and cap of a domain under the credit schedulers.</summary>
    public (int Weight, int Cap) GetShare(DomId domain, SchedulerId scheduler)
    {
        PrepareShare(domain, scheduler, DomCtlSchedulerCommand.GetInfo);
        ref DomCtl call = ref Current;
        Run("scheduler_op (get)", domain);
        return (call.SchedulerOp.Credit.Weight, call.SchedulerOp.Credit.Cap);
    }

    /// <summary>Sets weight and cap of a domain under the credit schedulers.</summary>
    public void SetShare(DomId domain, SchedulerId scheduler, int weight, int cap)
    {
        // Both schedulers' structures are a weight and a cap of 16 bits each.
        PrepareShare(domain, scheduler, DomCtlSchedulerCommand.PutInfo);
        Current.SchedulerOp.Credit.Weight = (ushort)weight;
        Current.SchedulerOp.Credit.Cap = (ushort)cap;
        Run("scheduler_op (set)", domain);
    }

    /// <summary>Sends a virtual CPU an NMI or another signal from outside.</summary>
    public void SendTrigger(DomId domain, TriggerType trigger, int vcpu)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SendTrigger, domain);
        call.SendTrigger.Trigger = (uint)trigger;
        call.SendTrigger.Vcpu = (uint)vcpu;
        Run("sendtrigger", domain);
    }

    internal static unsafe DomainInfo Convert(in DomCtlGetDomainInfo info)
    {
        fixed (byte* handle = info.Handle)
        {
            return new DomainInfo
            {
                Id = info.Domain.Raw,
                Uuid = new Guid(new ReadOnlySpan<byte>(handle, 16), bigEndian: true),
                IsDying = (info.Flags & DomainInfoFlags.Dying) != 0,
                IsHvm = (info.Flags & DomainInfoFlags.HvmGuest) != 0,
                IsShutdown = (info.Flags & DomainInfoFlags.Shutdown) != 0,
                IsPaused = (info.Flags & DomainInfoFlags.Paused) != 0,
                IsBlocked = (info.Flags & DomainInfoFlags.Blocked) != 0,
                IsRunning = (info.Flags & DomainInfoFlags.Running) != 0,
                Reason =
                    (ShutdownReason)(info.Flags >> (int)DomainInfoFlags.ShutdownShift & DomainInfoFlags.ShutdownMask),
                TotalPages = info.TotPages,
                MaximumPages = info.MaxPages,
                OutstandingPages = info.OutstandingPages,
                SharedInfoFrame = info.SharedInfoFrame,
                CpuTime = info.CpuTime,
                OnlineVcpus = (int)info.NrOnlineVcpus,
                MaximumVcpuId = (int)info.MaxVcpuId,
                Pool = (int)info.CpuPool,
            };
        }
    }

    private ref DomCtl Current => ref _gate.Current<DomCtl>();

    private ref DomCtl Prepare(DomCtlCommand command, DomId domain)
    {
        ref DomCtl call = ref _gate.Prepare<DomCtl>();
        call.Cmd = (uint)command;
        call.InterfaceVersion = DomCtlInterface.Version;
        call.Domain = domain;
        return ref call;
    }

    private void PrepareShare(DomId domain, SchedulerId scheduler, DomCtlSchedulerCommand command)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SchedulerOp, domain);
        call.SchedulerOp.SchedId = (uint)scheduler;
        call.SchedulerOp.Cmd = (uint)command;
    }

    private NativeRegion PrepareAffinity(DomCtlCommand command, DomId domain, int vcpu)
    {
        NativeRegion bitmap = _gate.Channel.Allocate(BitmapBytes);
        ref DomCtl call = ref Prepare(command, domain);
        call.VcpuAffinity.Vcpu = (uint)vcpu;
        call.VcpuAffinity.Flags = VcpuAffinityFlags.Hard;
        call.VcpuAffinity.CpuMapHard.Bitmap = bitmap.Address;
        call.VcpuAffinity.CpuMapHard.NrBits = CpuSet.Limit;
        return bitmap;
    }

    private void RunPlain(DomCtlCommand command, string name, DomId domain)
    {
        _ = Prepare(command, domain);
        Run(name, domain);
    }

    private void Run(string name, DomId? domain = null) =>
        _ = HypercallGate.Check(
            _gate.Call(HypercallNumber.DomCtl), $"domctl {name}", domain is { } id ? $"domain {id.Raw}" : null);
}
