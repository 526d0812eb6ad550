// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Hypervisor.Core.Pci;

namespace Hypervisor.Core.Interrupts;

/// <summary>One interrupt source of the machine.</summary>
/// <remarks>
/// Locking: <see cref="Lock"/> protects everything but <see cref="Kind"/> and <see cref="Vector"/>, which change
/// under the table's lock as well. Order: table lock, descriptor lock, event table's lock.
/// Invariant: a level-triggered pin is unmasked only while nobody has it in flight.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IrqDescriptor
{
    /// <summary>Domains that can share one line.</summary>
    public const int MaxBindings = 4;

    public SpinLock Lock;
    public IrqKind Kind;
    public InternalIrq Internal;

    /// <summary>0 while none is assigned.</summary>
    public byte Vector;
    public bool IsLevel;
    public bool IsActiveLow;

    /// <summary>Somebody stated how the line signals, so that a second statement is one too many.</summary>
    public bool HasMode;

    /// <summary>Masked because it came more often than any device has reason to.</summary>
    public bool IsStorming;

    /// <summary>For an MSI function that cannot mask: its messages were switched off while it storms.</summary>
    public bool IsSwitchedOff;

    /// <summary>CPU that gets it.</summary>
    public uint Cpu;

    /// <summary>For messages: the function, its capability's register and the entry's number.</summary>
    public PciAddress Device;
    public byte Capability;
    public ushort Entry;

    /// <summary>For MSI: the function can mask, and takes 64-bit addresses.</summary>
    public bool CanMask;
    public bool IsWide;

    /// <summary>For MSI-X: the entry in device memory.</summary>
    public uint* TableEntry;

    public ulong Count;
    public ulong WindowStart;
    public uint WindowCount;

    /// <summary>Times it was held back for coming too often, and times a domain lost its say over a shared line.</summary>
    public uint Storms;
    public uint Timeouts;

    private fixed ulong _bindings[MaxBindings * 3];

    /// <summary>Binding <paramref name="index"/>, below <see cref="MaxBindings"/>, of a descriptor that does not
    /// move.</summary>
    public static IrqBinding* Binding(IrqDescriptor* irq, int index) => (IrqBinding*)irq->_bindings + index;

    /// <summary>The domain's binding, or null.</summary>
    public static IrqBinding* BindingOf(IrqDescriptor* irq, Domain* domain)
    {
        for (int i = 0; i < MaxBindings; i++)
        {
            IrqBinding* binding = Binding(irq, i);
            if (binding->Domain == domain)
            {
                return binding;
            }
        }

        return null;
    }
}
