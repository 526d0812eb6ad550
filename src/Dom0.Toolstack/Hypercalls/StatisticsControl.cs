// SPDX-License-Identifier: MIT
using System.Runtime.CompilerServices;
using Dom0.Toolstack.Interop;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>What domains have asked of this hypervisor, and what it keeps for them. Xen has no such operation and refuses it with ENOSYS.</summary>
public sealed unsafe class StatisticsControl
{
    private const string Operation = "sysctl statistics";

    private readonly HypercallGate _gate;

    internal StatisticsControl(HypercallGate gate) => _gate = gate;

    /// <summary>A domain's counters; null when it is gone.</summary>
    public VcpuCounters? TryRead(DomId domain)
    {
        int result = Ask(domain, out StatisticsOp answer);
        if (result == -LibcErrno.NoSuchProcess)
        {
            return null;
        }

        if (result == -LibcErrno.NotImplemented)
        {
            throw new XenException(LibcErrno.NotImplemented, Operation, null, "Only the hypervisor of this project counts them");
        }

        _ = HypercallGate.Check(result, Operation, $"domain {domain.Raw}");
        return answer.Counters;
    }

    /// <summary>Pages that the hypervisor keeps for a domain; null when it is gone, or when the hypervisor does not say.</summary>
    public ulong? TryReadKeptPages(DomId domain) => Ask(domain, out StatisticsOp answer) == 0 ? answer.KeptPages : null;

    private int Ask(DomId domain, out StatisticsOp answer)
    {
        ref SysCtl call = ref _gate.Prepare<SysCtl>();
        call.Cmd = StatisticsExtension.SysCtl;
        call.InterfaceVersion = SysCtlInterface.Version;
        ref StatisticsOp argument = ref Unsafe.As<byte, StatisticsOp>(ref call.Pad[0]);
        argument.Domain = domain.Raw;
        int result = _gate.Call(HypercallNumber.SysCtl);
        answer = argument;
        return result;
    }
}
