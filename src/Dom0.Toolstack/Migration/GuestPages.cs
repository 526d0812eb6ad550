// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>The frames of a guest, with what the hypervisor says they are in use for.</summary>
public sealed class GuestPages
{
    private GuestPages(MachineFrameList list)
    {
        List = list;
        Kinds = new FrameKinds((ulong)list.Entries.Length);
    }

    /// <summary>The guest's own list.</summary>
    public MachineFrameList List { get; }

    /// <summary>What each guest frame is in use for.</summary>
    public FrameKinds Kinds { get; }

    /// <summary>Guest frames by machine frame.</summary>
    public MachineMap Machine { get; } = new();

    /// <summary>Guest frames with contents.</summary>
    public int Count { get; private set; }

    /// <summary>The guest's shared page at this moment.</summary>
    public static byte[] ReadSharedInfo(Hypervisor hypervisor, DomId domain)
    {
        DomainInfo info = hypervisor.Domains.TryGetInfo(domain.Raw)
            ?? throw new ToolstackException($"domain {domain.Raw} does not exist any more");
        using NativeRegion page = hypervisor.Channel.MapFrames(domain.Raw, [info.SharedInfoFrame], isReadOnly: true);
        return page.Bytes[..SaveFileLayout.PageSize].ToArray();
    }

    /// <summary>
    /// Asks for all frames. A machine frame that the guest's list names twice counts for the first of its places only.
    /// </summary>
    public static GuestPages Read(Hypervisor hypervisor, DomId domain, in SharedInfo sharedInfo)
    {
        GuestPages pages = new(MachineFrameList.Read(hypervisor, domain, in sharedInfo));
        ulong[] types = new ulong[StateControl.MaximumFrames];
        ulong[] frames = new ulong[StateControl.MaximumFrames];
        int count = 0;
        void Ask()
        {
            hypervisor.States.GetPageTypes(domain, types.AsSpan(0, count));
            for (int index = 0; index < count; index++)
            {
                byte kind = (byte)((types[index] & PageFrameInfo.LTabMask) >> 28);
                ulong frame = frames[index];
                if (PageKind.HasContents(kind) && pages.Machine.TryAdd(pages.List.Entries[frame], frame))
                {
                    pages.Kinds[frame] = kind;
                    pages.Count++;
                }
            }

            count = 0;
        }

        for (ulong frame = 0; frame < pages.Kinds.Count; frame++)
        {
            if (!MachineFrameList.IsOwn(pages.List.Entries[frame]))
            {
                continue;
            }

            (frames[count], types[count]) = (frame, pages.List.Entries[frame]);
            if (++count == types.Length)
            {
                Ask();
            }
        }

        if (count > 0)
        {
            Ask();
        }

        return pages;
    }

    /// <summary>The guest frames with contents, in batches.</summary>
    public IEnumerable<ulong[]> Batches()
    {
        List<ulong> batch = [];
        foreach (ulong frame in Kinds.WithMemory())
        {
            batch.Add(frame);
            if (batch.Count == SaveFileLayout.BatchPages)
            {
                yield return [.. batch];
                batch.Clear();
            }
        }

        if (batch.Count > 0)
        {
            yield return [.. batch];
        }
    }

    /// <summary>Maps the pages of a batch, to be read.</summary>
    public NativeRegion Map(Hypervisor hypervisor, DomId domain, ReadOnlySpan<ulong> batch)
    {
        ulong[] machine = new ulong[batch.Length];
        for (int index = 0; index < batch.Length; index++)
        {
            machine[index] = List.Entries[batch[index]];
        }

        return hypervisor.Channel.MapFrames(domain.Raw, machine, isReadOnly: true);
    }
}
