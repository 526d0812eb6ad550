// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor;

/// <summary>The fake machine stopped: a panic, a halt, or a wait that nothing can end.</summary>
public sealed class HypervisorPanicException : Exception
{
    public HypervisorPanicException(string reason)
        : base(reason)
    {
    }
}
