// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched;

/// <summary>The policies there are, by the numbers that the control interface gives them.</summary>
public enum PolicyId : uint
{
    /// <summary>Weights and caps; the default.</summary>
    Credit = 0,

    /// <summary>Reservations: so much time in each period.</summary>
    Sedf = 1,

    /// <summary>Borrowed virtual time: weights, and warping for whoever is urgent.</summary>
    Bvt = 2,
}
