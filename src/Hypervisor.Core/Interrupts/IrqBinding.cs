// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Interrupts;

/// <summary>A domain's right to an interrupt, and how far it has got with it.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IrqBinding
{
    /// <summary>Null: the place is free.</summary>
    public Domain* Domain;

    /// <summary>An event channel is bound to it.</summary>
    public bool IsBound;

    /// <summary>Bound with the consent to share.</summary>
    public bool WillShare;

    /// <summary>Level-triggered: raised and not yet ended by the domain.</summary>
    public bool IsInFlight;

    /// <summary>Time stamp counter when it was raised; meaningful while <see cref="IsInFlight"/>.</summary>
    public ulong RaisedAt;
}
