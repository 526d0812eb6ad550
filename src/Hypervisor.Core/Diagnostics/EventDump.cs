// SPDX-License-Identifier: MIT

using Hypervisor.Core.Events;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug key e: ports of all domains.</summary>
public static unsafe class EventDump
{
    /// <summary>Ports shown of one domain, and of all.</summary>
    private const uint MaxPorts = 64;
    private const uint MaxLines = 256;

    public static void Print()
    {
        uint lines = 0;
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            Log.Error("ports of domain "u8).Decimal((uint)domain->Id).Text(" ("u8)
                .Decimal(domain->Events.PortsInUse).Text(" in use; p pending, m masked)"u8)
                .Text(domain->Events.Fifo == null ? ":"u8 : ", FIFO:"u8).End();
            lines += Print(domain, MaxLines > lines ? MaxLines - lines : 0);
            _ = DomainTable.Put(domain);
        }
    }

    private static uint Print(Domain* domain, uint room)
    {
        uint shown = 0;
        room = room < MaxPorts ? room : MaxPorts;
        domain->Events.Lock.Acquire();
        for (uint port = 1; port < domain->Events.PortCount; port++)
        {
            EventChannel* channel = EventPorts.Find(domain, port);
            if (channel == null || channel->State == PortState.Free)
            {
                continue;
            }

            if (shown == room)
            {
                Log.Error("  and more"u8).End();
                break;
            }

            shown++;
            Print(domain, channel, port);
        }

        domain->Events.Lock.Release();
        return shown;
    }

    private static void Print(Domain* domain, EventChannel* channel, uint port)
    {
        LogLine line = Log.Error("  "u8).Decimal(port)
            .Text(domain->SharedInfo == null ? " ["u8 : EventDelivery.IsPending(domain, port) ? " [p"u8 : " [-"u8)
            .Text(domain->SharedInfo == null ? ""u8
                : EventDelivery.IsMasked(domain, port) ? "m"u8 : "-"u8)
            .Text("] v"u8).Decimal((uint)channel->NotifyVcpu);
        line = channel->State switch
        {
            PortState.Unbound => line.Text(" awaits d"u8).Decimal(channel->Number),
            PortState.Interdomain => line.Text(" d"u8).Decimal((uint)channel->Peer->Id).Text(" port "u8)
                .Decimal(channel->Number),
            PortState.Pirq => line.Text(" pirq "u8).Decimal(channel->Number),
            PortState.Virq => line.Text(" virq "u8).Decimal(channel->Number),
            PortState.Ipi => line.Text(" ipi"u8),
            _ => line.Text(" reserved"u8),
        };
        line.End();
    }
}
