// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>Event channels of other domains: <c>event_channel_op</c>.</summary>
public sealed class EventControl
{
    private readonly HypercallGate _gate;

    internal EventControl(HypercallGate gate) => _gate = gate;

    /// <summary>A new port of <paramref name="owner"/> to which <paramref name="peer"/> may bind.</summary>
    public EventPort AllocateUnbound(DomId owner, DomId peer)
    {
        ref EventChannelAllocUnbound allocation = ref _gate.Prepare<EventChannelAllocUnbound>();
        allocation.Dom = owner;
        allocation.RemoteDom = peer;
        int result = _gate.Call(HypercallNumber.EventChannelOp, (uint)EventChannelCommand.AllocUnbound);
        _ = HypercallGate.Check(result, "event_channel_op alloc_unbound", $"domain {owner.Raw}");
        return allocation.Port;
    }
}
