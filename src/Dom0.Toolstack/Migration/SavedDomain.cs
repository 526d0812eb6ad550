// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>All that a file says of a domain, but for the contents of its memory.</summary>
public sealed class SavedDomain
{
    /// <summary>The headers.</summary>
    public required SaveFileOpening Opening { get; init; }

    /// <summary>What each guest frame is in use for.</summary>
    public FrameKinds Frames { get; set; } = new(0);

    /// <summary>The guest frames that hold the guest's list of machine frames.</summary>
    public ulong[] ListFrames { get; set; } = [];

    /// <summary>Guest frames with memory.</summary>
    public int Pages { get; set; }

    /// <summary>Guest frames that are page tables.</summary>
    public int PageTables { get; set; }

    /// <summary>CPUID leaves that the guest saw; empty if the file has none.</summary>
    public byte[] Leaves { get; set; } = [];

    /// <summary>Feature MSRs that the guest saw.</summary>
    public byte[] PolicyMsrs { get; set; } = [];

    /// <summary>How it saw the time stamp counter.</summary>
    public DomCtlTscInfo? Tsc { get; set; }

    /// <summary>The shared page.</summary>
    public byte[] SharedInfo { get; set; } = [];

    /// <summary>The virtual CPUs that were online, by number.</summary>
    public SortedDictionary<int, SavedVcpu> Vcpus { get; } = [];

    /// <summary>The guest frame of <c>struct start_info</c>.</summary>
    public ulong StartInfoFrame { get; set; }

    /// <summary>The guest frame of the ring to the store.</summary>
    public ulong StoreFrame { get; set; }

    /// <summary>The guest frame of the console's ring.</summary>
    public ulong ConsoleFrame { get; set; }

    /// <summary>The records, for tables.</summary>
    public List<SaveRecordSummary> Records { get; } = [];
}
