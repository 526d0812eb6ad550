// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>EVTCHNOP_*</c>: sub-operation of event_channel_op.</summary>
public enum EventChannelCommand : uint
{
    /// <summary><c>EVTCHNOP_bind_interdomain</c>.</summary>
    BindInterdomain = 0,

    /// <summary><c>EVTCHNOP_bind_virq</c>.</summary>
    BindVirq = 1,

    /// <summary><c>EVTCHNOP_bind_pirq</c>.</summary>
    BindPirq = 2,

    /// <summary><c>EVTCHNOP_close</c>.</summary>
    Close = 3,

    /// <summary><c>EVTCHNOP_send</c>.</summary>
    Send = 4,

    /// <summary><c>EVTCHNOP_status</c>.</summary>
    Status = 5,

    /// <summary><c>EVTCHNOP_alloc_unbound</c>.</summary>
    AllocUnbound = 6,

    /// <summary><c>EVTCHNOP_bind_ipi</c>.</summary>
    BindIpi = 7,

    /// <summary><c>EVTCHNOP_bind_vcpu</c>.</summary>
    BindVcpu = 8,

    /// <summary><c>EVTCHNOP_unmask</c>.</summary>
    Unmask = 9,

    /// <summary><c>EVTCHNOP_reset</c>.</summary>
    Reset = 10,

    /// <summary><c>EVTCHNOP_init_control</c>.</summary>
    InitControl = 11,

    /// <summary><c>EVTCHNOP_expand_array</c>.</summary>
    ExpandArray = 12,

    /// <summary><c>EVTCHNOP_set_priority</c>.</summary>
    SetPriority = 13,
}

/// <summary><c>EVTCHNSTAT_*</c>: values of <see cref="EventChannelStatus.Status"/>.</summary>
public enum EventChannelState : uint
{
    /// <summary><c>EVTCHNSTAT_closed</c>: free.</summary>
    Closed = 0,

    /// <summary><c>EVTCHNSTAT_unbound</c>: waits for its peer.</summary>
    Unbound = 1,

    /// <summary><c>EVTCHNSTAT_interdomain</c>: connected to a port of some domain.</summary>
    Interdomain = 2,

    /// <summary><c>EVTCHNSTAT_pirq</c>.</summary>
    Pirq = 3,

    /// <summary><c>EVTCHNSTAT_virq</c>.</summary>
    Virq = 4,

    /// <summary><c>EVTCHNSTAT_ipi</c>.</summary>
    Ipi = 5,
}

/// <summary><c>BIND_PIRQ__*</c>: flags of <see cref="EventChannelBindPirq"/>.</summary>
public static class BindPirqFlags
{
    /// <summary><c>BIND_PIRQ__WILL_SHARE</c>: other domains may bind the same interrupt.</summary>
    public const uint WillShare = 0x1;
}

/// <summary><c>EVTCHN_2L_*, EVTCHN_FIFO_*</c>: sizes of the two event-channel interfaces.</summary>
public static class EventChannelLimits
{
    /// <summary><c>EVTCHN_2L_NR_CHANNELS</c>.</summary>
    public const uint TwoLevelNrChannels = 4096;

    /// <summary><c>EVTCHN_FIFO_NR_CHANNELS</c>.</summary>
    public const uint FifoNrChannels = 131072;

    /// <summary><c>EVTCHN_FIFO_MAX_QUEUES</c>.</summary>
    public const uint FifoMaxQueues = 16;

    /// <summary><c>EVTCHN_FIFO_LINK_BITS</c>.</summary>
    public const uint FifoLinkBits = 17;

    /// <summary><c>EVTCHN_FIFO_LINK_MASK</c>.</summary>
    public const uint FifoLinkMask = 131071;
}

/// <summary><c>EVTCHN_FIFO_*</c>: bit numbers of a FIFO event word; below them the link to the next port.</summary>
public static class FifoEventBit
{
    /// <summary><c>EVTCHN_FIFO_PENDING</c>.</summary>
    public const int Pending = 31;

    /// <summary><c>EVTCHN_FIFO_MASKED</c>.</summary>
    public const int Masked = 30;

    /// <summary><c>EVTCHN_FIFO_LINKED</c>.</summary>
    public const int Linked = 29;

    /// <summary><c>EVTCHN_FIFO_BUSY</c>.</summary>
    public const int Busy = 28;
}

/// <summary><c>EVTCHN_FIFO_PRIORITY_*</c>: priorities of FIFO events, 0 is the highest.</summary>
public static class FifoEventPriority
{
    /// <summary><c>EVTCHN_FIFO_PRIORITY_MAX</c>.</summary>
    public const uint Max = 0;

    /// <summary><c>EVTCHN_FIFO_PRIORITY_DEFAULT</c>.</summary>
    public const uint Default = 7;

    /// <summary><c>EVTCHN_FIFO_PRIORITY_MIN</c>.</summary>
    public const uint Min = 15;
}
