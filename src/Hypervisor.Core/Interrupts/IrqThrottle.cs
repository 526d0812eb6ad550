// SPDX-License-Identifier: MIT
// A source that comes more often than the fastest device has reason to is held back until the next Tick, a tenth of a
// second at most, so that it takes neither a CPU nor the machine: a message or an edge that fires without end, a level
// that nobody deasserts. The first, second, fourth, eighth … time is told in the log.
//
// A line that several domains share is masked until each has said that it is done. One that never does must not stop
// the others' devices: after a second its say is taken for given. Should its device still assert the line, that is a
// storm, and held back as one.

using Hypervisor.Core.Time;

namespace Hypervisor.Core.Interrupts;

/// <summary>Keeps interrupts from taking more than their share. The caller holds the descriptor's lock unless told
/// otherwise.</summary>
public static unsafe class IrqThrottle
{
    /// <summary>2²⁵ ticks, about ten milliseconds; four thousand in one is some 400,000 a second.</summary>
    public const ulong Window = 1 << 25;
    public const uint Limit = 4096;

    /// <summary>2³² ticks, one to two seconds.</summary>
    public const ulong Patience = 1UL << 32;

    /// <summary>The interrupt has come once more.</summary>
    internal static void Count(IrqDescriptor* irq, uint number)
    {
        ulong now = Machine.ReadTsc();
        if (now - irq->WindowStart > Window)
        {
            irq->WindowStart = now;
            irq->WindowCount = 0;
        }

        if (++irq->WindowCount <= Limit || irq->IsStorming)
        {
            return;
        }

        irq->IsStorming = true;
        IrqSource.Hold(irq, number);
        irq->Storms++;
        if (IsWorthTelling(irq->Storms))
        {
            ulong ticks = now - irq->WindowStart;
            ulong rate = irq->WindowCount * (SystemTime.TscHz / (ticks == 0 ? 1 : ticks));
            Log.Warning("irq "u8).Decimal(number).Text(" storms: "u8).Decimal(irq->WindowCount).Text(" in "u8)
                .Decimal(ticks).Text(" ticks ("u8).Decimal(rate).Text(" a second), held back for a moment, "u8)
                .Decimal(irq->Storms).Text(" times so far"u8).End();
        }
    }

    /// <summary>Lets what was held back try again and ends the waits that take too long; a few times a second, with no
    /// lock held.</summary>
    public static void Tick()
    {
        ulong now = Machine.ReadTsc();
        for (uint number = 0; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq == null || irq->Kind == IrqKind.None)
            {
                continue;
            }

            irq->Lock.Acquire();
            if (irq->IsStorming)
            {
                LetGo(irq, number);
            }

            if (irq->IsLevel && IrqTable.IsInFlight(irq))
            {
                EndOldWaits(irq, number, now);
            }

            irq->Lock.Release();
        }
    }

    private static void LetGo(IrqDescriptor* irq, uint number)
    {
        irq->IsStorming = false;
        irq->WindowCount = 0;
        if ((irq->Internal != InternalIrq.None || IrqTable.IsBoundAtAll(irq)) && !IrqTable.IsInFlight(irq))
        {
            IrqSource.LetGo(irq, number);
        }
    }

    private static void EndOldWaits(IrqDescriptor* irq, uint number, ulong now)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* binding = IrqDescriptor.Binding(irq, i);
            if (binding->Domain == null || !binding->IsInFlight || now - binding->RaisedAt < Patience
                || !OthersWait(irq, binding))
            {
                continue;
            }

            binding->IsInFlight = false;
            irq->Timeouts++;
            if (IsWorthTelling(irq->Timeouts))
            {
                Log.Warning("irq "u8).Decimal(number).Text(": domain "u8).Decimal((uint)binding->Domain->Id)
                    .Text(" does not end it, the other domains on the line go on, "u8).Decimal(irq->Timeouts)
                    .Text(" times so far"u8).End();
            }

            PhysicalIrqs.UnmaskIfIdle(irq, number);
        }
    }

    /// <summary>Another domain is bound to the line; one that is alone blocks nobody but itself.</summary>
    private static bool OthersWait(IrqDescriptor* irq, IrqBinding* self)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* other = IrqDescriptor.Binding(irq, i);
            if (other != self && other->Domain != null && other->IsBound)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsWorthTelling(uint times) => (times & (times - 1)) == 0;
}
