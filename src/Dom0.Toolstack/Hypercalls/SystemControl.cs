// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>The host as a whole: <c>sysctl</c>, interface version 0x15.</summary>
public sealed class SystemControl
{
    private const int DomainsPerCall = 256;
    private const int ConsoleChunk = 64 * 1024;

    private readonly HypercallGate _gate;

    internal SystemControl(HypercallGate gate) => _gate = gate;

    /// <summary>The machine.</summary>
    public unsafe PhysicalInfo PhysicalInfo()
    {
        ref SysCtl call = ref Prepare(SysCtlCommand.PhysInfo);
        Run("physinfo");
        fixed (SysCtl* fields = &call)
        {
            SysCtlPhysInfo* info = &fields->PhysInfo;
            return new PhysicalInfo
            {
                ThreadsPerCore = (int)info->ThreadsPerCore,
                CoresPerSocket = (int)info->CoresPerSocket,
                Cpus = (int)info->NrCpus,
                MaximumCpuId = (int)info->MaxCpuId,
                Nodes = (int)info->NrNodes,
                CpuKilohertz = info->CpuKhz,
                Capabilities = info->Capabilities,
                TotalPages = info->TotalPages,
                FreePages = info->FreePages,
                ScrubPages = info->ScrubPages,
                OutstandingPages = info->OutstandingPages,
                HardwareCapabilities = new ReadOnlySpan<uint>(info->HwCap, 8).ToArray(),
            };
        }
    }

    /// <summary>The scheduler of the first CPU pool.</summary>
    public SchedulerId Scheduler()
    {
        ref SysCtl call = ref Prepare(SysCtlCommand.SchedId);
        Run("sched_id");
        return (SchedulerId)call.SchedId.SchedId;
    }

    /// <summary>All domains, by ascending number.</summary>
    public IReadOnlyList<DomainInfo> ListDomains()
    {
        // Most hosts have no more than fit into a page; who has more is asked for more at a time.
        List<DomainInfo> domains = [];
        int perCall = Environment.SystemPageSize / Unsafe.SizeOf<DomCtlGetDomainInfo>();
        int first = 0;
        while (true)
        {
            using NativeRegion buffer = _gate.Channel.Allocate(perCall * Unsafe.SizeOf<DomCtlGetDomainInfo>());
            ref SysCtl call = ref Prepare(SysCtlCommand.GetDomainInfoList);
            call.GetDomainInfoList.FirstDomain = new DomId((ushort)first);
            call.GetDomainInfoList.MaxDomains = (uint)perCall;
            call.GetDomainInfoList.Buffer = buffer.Address;
            Run("getdomaininfolist");
            int count = (int)Math.Min(call.GetDomainInfoList.NumDomains, (uint)perCall);
            foreach (ref readonly DomCtlGetDomainInfo info in buffer.As<DomCtlGetDomainInfo>()[..count])
            {
                domains.Add(DomainControl.Convert(in info));
            }

            if (count < perCall)
            {
                return domains;
            }

            first = domains[^1].Id + 1;
            perCall = DomainsPerCall;
        }
    }

    /// <summary>What the hypervisor has printed since it started, as far as its buffer goes back.</summary>
    public byte[] ReadConsole(bool clear)
    {
        using NativeRegion buffer = _gate.Channel.Allocate(ConsoleChunk);
        List<byte> text = [];
        uint index = 0;
        while (true)
        {
            ref SysCtl call = ref Prepare(SysCtlCommand.ReadConsole);
            call.ReadConsole.Incremental = 1;
            call.ReadConsole.Index = index;
            call.ReadConsole.Buffer = buffer.Address;
            call.ReadConsole.Count = ConsoleChunk;
            Run("readconsole");
            text.AddRange(buffer.Bytes[..(int)Math.Min(call.ReadConsole.Count, ConsoleChunk)]);
            if (call.ReadConsole.Count < ConsoleChunk)
            {
                break;
            }

            index = call.ReadConsole.Index;
        }

        if (clear)
        {
            ref SysCtl call = ref Prepare(SysCtlCommand.ReadConsole);
            call.ReadConsole.Clear = 1;
            call.ReadConsole.Buffer = buffer.Address;
            call.ReadConsole.Count = ConsoleChunk;
            Run("readconsole (clear)");
        }

        return [.. text];
    }

    /// <summary>Presses keys on the hypervisor's console.</summary>
    public void SendDebugKeys(string keys)
    {
        using NativeRegion buffer = _gate.Channel.Allocate(4096);
        ref SysCtl call = ref Prepare(SysCtlCommand.DebugKeys);
        call.DebugKeys.Keys = buffer.Address;
        call.DebugKeys.NrKeys = (uint)Encoding.ASCII.GetBytes(keys, buffer.Bytes);
        Run("debug_keys");
    }

    /// <summary>The CPUs that belong to no pool.</summary>
    public CpuSet FreeCpus()
    {
        using NativeRegion bitmap = _gate.Channel.Allocate(CpuSet.Limit / 8);
        ref SysCtl call = ref Prepare(SysCtlCommand.CpuPoolOp);
        call.CpuPoolOp.Op = (uint)CpuPoolCommand.FreeInfo;
        call.CpuPoolOp.CpuMap.Bitmap = bitmap.Address;
        call.CpuPoolOp.CpuMap.NrBits = CpuSet.Limit;
        Run("cpupool_op (free cpus)");
        return CpuSet.FromBitmap(bitmap.Bytes[..(CpuSet.Limit / 8)]);
    }

    /// <summary>Moves a domain to another CPU pool.</summary>
    public void MoveToPool(DomId domain, int pool)
    {
        ref SysCtl call = ref Prepare(SysCtlCommand.CpuPoolOp);
        call.CpuPoolOp.Op = (uint)CpuPoolCommand.MoveDomain;
        call.CpuPoolOp.CpuPoolId = (uint)pool;
        call.CpuPoolOp.Domid = domain.Raw;
        Run("cpupool_op (move domain)");
    }

    /// <summary>What CPUID and feature MSRs tell a paravirtualized guest if nothing else is said.</summary>
    public CpuPolicy DefaultPolicy()
    {
        CpuPolicy room = PolicyRoom();
        try
        {
            ref SysCtl call = ref Prepare(SysCtlCommand.GetCpuPolicy);
            call.CpuPolicy.Index = (uint)CpuPolicyIndex.PvDefault;
            call.CpuPolicy.NrLeaves = room.LeafCount;
            call.CpuPolicy.Leaves = room.Leaves.Address;
            call.CpuPolicy.NrMsrs = room.MsrCount;
            call.CpuPolicy.Msrs = room.Msrs.Address;
            Run("get_cpu_policy");
            return new CpuPolicy(room.Leaves, call.CpuPolicy.NrLeaves, room.Msrs, call.CpuPolicy.NrMsrs);
        }
        catch
        {
            room.Dispose();
            throw;
        }
    }

    /// <summary>Room for the largest policy that this hypervisor has.</summary>
    internal CpuPolicy PolicyRoom()
    {
        ref SysCtl call = ref Prepare(SysCtlCommand.GetCpuPolicy);
        call.CpuPolicy.Index = (uint)CpuPolicyIndex.PvDefault;
        Run("get_cpu_policy (sizes)");
        uint leafCount = call.CpuPolicy.NrLeaves;
        uint msrCount = call.CpuPolicy.NrMsrs;
        NativeRegion leaves = _gate.Channel.Allocate((int)leafCount * Unsafe.SizeOf<CpuIdLeaf>());
        try
        {
            return new CpuPolicy(leaves, leafCount,
                _gate.Channel.Allocate((int)Math.Max(msrCount, 1) * Unsafe.SizeOf<MsrEntry>()), msrCount);
        }
        catch
        {
            leaves.Dispose();
            throw;
        }
    }

    private ref SysCtl Prepare(SysCtlCommand command)
    {
        ref SysCtl call = ref _gate.Prepare<SysCtl>();
        call.Cmd = (uint)command;
        call.InterfaceVersion = SysCtlInterface.Version;
        return ref call;
    }

    private void Run(string name) =>
        _ = HypercallGate.Check(_gate.Call(HypercallNumber.SysCtl), $"sysctl {name}");
}
