// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct evtchn_alloc_unbound</c>: a port that waits for a peer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelAllocUnbound
{
    /// <summary><c>dom</c>: owner of the new port.</summary>
    public DomId Dom;

    /// <summary><c>remote_dom</c>: who may bind to it.</summary>
    public DomId RemoteDom;

    /// <summary><c>port</c>: result.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_bind_interdomain</c>: a port connected to a waiting port.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelBindInterdomain
{
    /// <summary><c>remote_dom</c>.</summary>
    public DomId RemoteDom;

    /// <summary><c>remote_port</c>.</summary>
    public EventPort RemotePort;

    /// <summary><c>local_port</c>: result.</summary>
    public EventPort LocalPort;
}

/// <summary><c>struct evtchn_bind_virq</c>: a port for a virtual interrupt.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelBindVirq
{
    /// <summary><c>virq</c>: <see cref="VirtualIrq"/>.</summary>
    public uint Virq;

    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>port</c>: result.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_bind_pirq</c>: a port for a physical interrupt.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelBindPirq
{
    /// <summary><c>pirq</c>.</summary>
    public uint Pirq;

    /// <summary><c>flags</c>: <see cref="BindPirqFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>port</c>: result.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_bind_ipi</c>: a port by which a domain signals its own vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelBindIpi
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>port</c>: result.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_close</c>: closes a port; its peer becomes unbound.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelClose
{
    /// <summary><c>port</c>.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_send</c>: signals the peer of a port.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelSend
{
    /// <summary><c>port</c>.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_status</c>: state of a port.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct EventChannelStatus
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    [FieldOffset(0x0)]
    public DomId Dom;

    /// <summary><c>port</c>.</summary>
    [FieldOffset(0x4)]
    public EventPort Port;

    /// <summary><c>status</c>: <see cref="EventChannelState"/>.</summary>
    [FieldOffset(0x8)]
    public uint Status;

    /// <summary><c>vcpu</c>: vCPU that is notified.</summary>
    [FieldOffset(0xc)]
    public uint Vcpu;

    /// <summary><c>u.unbound.dom</c>.</summary>
    [FieldOffset(0x10)]
    public DomId UnboundDom;

    /// <summary><c>u.interdomain.dom</c>.</summary>
    [FieldOffset(0x10)]
    public DomId InterdomainDom;

    /// <summary><c>u.interdomain.port</c>.</summary>
    [FieldOffset(0x14)]
    public EventPort InterdomainPort;

    /// <summary><c>u.pirq</c>.</summary>
    [FieldOffset(0x10)]
    public uint Pirq;

    /// <summary><c>u.virq</c>.</summary>
    [FieldOffset(0x10)]
    public uint Virq;
}

/// <summary><c>struct evtchn_bind_vcpu</c>: moves a port to another vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelBindVcpu
{
    /// <summary><c>port</c>.</summary>
    public EventPort Port;

    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;
}

/// <summary><c>struct evtchn_unmask</c>: unmasks a port and delivers what is pending.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelUnmask
{
    /// <summary><c>port</c>.</summary>
    public EventPort Port;
}

/// <summary><c>struct evtchn_reset</c>: closes every port of a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelReset
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;
}

/// <summary><c>struct evtchn_init_control</c>: FIFO interface: control block of a vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct EventChannelInitControl
{
    /// <summary><c>control_gfn</c>.</summary>
    public ulong ControlGfn;

    /// <summary><c>offset</c>: within the frame.</summary>
    public uint Offset;

    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>link_bits</c>: result.</summary>
    public byte LinkBits;

    /// <summary><c>_pad</c>.</summary>
    public fixed byte Pad[7];
}

/// <summary><c>struct evtchn_expand_array</c>: FIFO interface: one more page of event words.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelExpandArray
{
    /// <summary><c>array_gfn</c>.</summary>
    public ulong ArrayGfn;
}

/// <summary><c>struct evtchn_set_priority</c>: FIFO interface: priority of a port.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EventChannelSetPriority
{
    /// <summary><c>port</c>.</summary>
    public EventPort Port;

    /// <summary><c>priority</c>.</summary>
    public uint Priority;
}

/// <summary><c>struct evtchn_fifo_control_block</c>: FIFO interface: heads of the queues of a vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct EventChannelFifoControlBlock
{
    /// <summary><c>ready</c>: bit map of queues that are not empty.</summary>
    public uint Ready;

    /// <summary><c>_rsvd</c>.</summary>
    public uint Rsvd;

    /// <summary><c>head</c>.</summary>
    public fixed uint Head[16];
}
