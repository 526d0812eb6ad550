// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_DOMCTL_getpageframeinfo3: which frames of a domain are page tables, for whoever saves it.</summary>
public static unsafe class PageFrameControl
{
    private const ulong MaxFrames = 1024;

    /// <summary>Overwrites each frame number of the list by what the frame is.</summary>
    /// <returns>TooBig: the list is longer than one call takes.</returns>
    public static HypercallResult GetTypes(Domain* domain, DomCtlGetPageFrameInfo3* request)
    {
        if (request->Num > MaxFrames)
        {
            return Errno.TooBig;
        }

        for (ulong index = 0; index < request->Num; index++)
        {
            ulong value;
            if (!GuestMemory.ReadElement(request->Array, index, &value))
            {
                return Errno.Fault;
            }

            value = TypeOf(domain, new Mfn(value));
            if (!GuestMemory.WriteElement(request->Array, index, &value))
            {
                return Errno.Fault;
            }
        }

        return Errno.Ok;
    }

    private static uint TypeOf(Domain* domain, Mfn mfn)
    {
        if (!FrameTable.IsValid(mfn))
        {
            return PageFrameInfo.XTab;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, domain))
        {
            return PageFrameInfo.XTab;
        }

        ulong type = page->Type;
        int level = (type & PageType.Validated) != 0 && (type & PageType.CountMask) != 0 ? PageType.LevelOf(type) : 0;
        uint result = (uint)level * PageFrameInfo.L1Tab;
        if (level != 0 && (type & PageType.Pinned) != 0)
        {
            result |= PageFrameInfo.LPinTab;
        }

        PageReference.Put(page);
        return result;
    }
}
