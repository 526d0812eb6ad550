// SPDX-License-Identifier: MIT

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>CPUID and MSR policies on their way to the tools and back.</summary>
public static unsafe class CpuPolicyControl
{
    /// <summary>XEN_SYSCTL_get_cpu_policy.</summary>
    public static HypercallResult GetOfSystem(SysCtlCpuPolicy* request)
    {
        if (request->Rsvd != 0)
        {
            return Errno.Inval;
        }

        Errno error = OfIndex((CpuPolicyIndex)request->Index, out CpuPolicy* policy);
        if (error != Errno.Ok)
        {
            return error;
        }

        error = CopyLeaves(policy, request->Leaves, ref request->NrLeaves);
        return error == Errno.Ok ? CopyMsrs(policy, request->Msrs, ref request->NrMsrs) : error;
    }

    /// <summary>XEN_SYSCTL_get_cpu_featureset. NoBufs: the caller's array was too short for all words.</summary>
    public static HypercallResult GetFeatures(SysCtlCpuFeatureSet* request)
    {
        CpuPolicyIndex index;
        switch ((CpuFeatureSetIndex)request->Index)
        {
            case CpuFeatureSetIndex.Raw:
                index = CpuPolicyIndex.Raw;
                break;
            case CpuFeatureSetIndex.Host:
                index = CpuPolicyIndex.Host;
                break;
            case CpuFeatureSetIndex.Pv:
                index = CpuPolicyIndex.PvDefault;
                break;
            case CpuFeatureSetIndex.PvMax:
                index = CpuPolicyIndex.PvMax;
                break;
            case CpuFeatureSetIndex.Hvm:
            case CpuFeatureSetIndex.HvmMax:
                return Errno.OpNotSupp;
            default:
                return Errno.Inval;
        }

        _ = OfIndex(index, out CpuPolicy* policy);
        uint count = request->NrFeatures < PvFeatures.WordCount ? request->NrFeatures : PvFeatures.WordCount;
        if (request->Features == 0)
        {
            request->NrFeatures = PvFeatures.WordCount;
            return Errno.Ok;
        }

        for (uint word = 0; word < count; word++)
        {
            uint value = CpuidPolicy.FeatureWord(policy, (int)word);
            if (!GuestMemory.WriteElement(request->Features, word, &value))
            {
                return Errno.Fault;
            }
        }

        request->NrFeatures = count;
        return count < PvFeatures.WordCount ? Errno.NoBufs : Errno.Ok;
    }

    /// <summary>XEN_DOMCTL_get_cpu_policy.</summary>
    public static HypercallResult GetOfDomain(Domain* domain, DomCtlCpuPolicy* request)
    {
        Errno error = CopyLeaves(domain->CpuidPolicy, request->Leaves, ref request->NrLeaves);
        return error == Errno.Ok ? CopyMsrs(domain->CpuidPolicy, request->Msrs, ref request->NrMsrs) : error;
    }

    /// <summary>XEN_DOMCTL_set_cpu_policy: what is not mentioned stays; what the machine cannot give is
    /// refused.</summary>
    /// <returns>
    /// Exist: the domain has run. TooBig: more elements than a policy can have. Inval, Range: the element named in
    /// the request.
    /// </returns>
    public static HypercallResult SetOfDomain(Domain* domain, DomCtlCpuPolicy* request)
    {
        request->ErrLeaf = CpuPolicyError.None;
        request->ErrSubleaf = CpuPolicyError.None;
        request->ErrMsr = CpuPolicyError.None;
        if (domain->HasStarted)
        {
            return Errno.Exist;
        }

        if (request->NrLeaves > CpuidPolicy.MaxLeaves || request->NrMsrs > CpuidPolicy.MaxMsrs)
        {
            return Errno.TooBig;
        }

        CpuPolicy* update = (CpuPolicy*)PageAllocator.AllocatePages(0);
        if (update == null)
        {
            return Errno.NoMem;
        }

        *update = *domain->CpuidPolicy;
        Errno error = Merge(update, request, out CpuPolicyError refused);
        if (error == Errno.Ok)
        {
            error = CpuidPolicy.Finish(SystemPolicies.PvMax, update, out refused);
        }

        if (error == Errno.Ok)
        {
            *domain->CpuidPolicy = *update;
        }

        request->ErrLeaf = refused.Leaf;
        request->ErrSubleaf = refused.Subleaf;
        request->ErrMsr = refused.Msr;
        PageAllocator.FreePages(update, 0);
        return error;
    }

    private static Errno Merge(CpuPolicy* update, DomCtlCpuPolicy* request, out CpuPolicyError refused)
    {
        refused.Leaf = CpuPolicyError.None;
        refused.Subleaf = CpuPolicyError.None;
        refused.Msr = CpuPolicyError.None;
        for (uint index = 0; index < request->NrLeaves; index++)
        {
            CpuIdLeaf leaf;
            if (!GuestMemory.ReadElement(request->Leaves, index, &leaf))
            {
                return Errno.Fault;
            }

            Errno error = CpuidPolicy.MergeLeaf(update, leaf, out refused);
            if (error != Errno.Ok)
            {
                return error;
            }
        }

        for (uint index = 0; index < request->NrMsrs; index++)
        {
            MsrEntry entry;
            if (!GuestMemory.ReadElement(request->Msrs, index, &entry))
            {
                return Errno.Fault;
            }

            Errno error = CpuidPolicy.MergeMsr(update, entry, out refused);
            if (error != Errno.Ok)
            {
                return error;
            }
        }

        return Errno.Ok;
    }

    private static Errno OfIndex(CpuPolicyIndex index, out CpuPolicy* policy)
    {
        policy = null;
        switch (index)
        {
            case CpuPolicyIndex.Raw:
            case CpuPolicyIndex.Host:
                policy = SystemPolicies.Host;
                return Errno.Ok;
            case CpuPolicyIndex.PvMax:
                policy = SystemPolicies.PvMax;
                return Errno.Ok;
            case CpuPolicyIndex.PvDefault:
                policy = SystemPolicies.PvDefault;
                return Errno.Ok;
            case CpuPolicyIndex.HvmMax:
            case CpuPolicyIndex.HvmDefault:
                return Errno.OpNotSupp;
            default:
                return Errno.Inval;
        }
    }

    /// <summary>Without an array only its greatest size is told. NoBufs: too short.</summary>
    private static Errno CopyLeaves(CpuPolicy* policy, ulong array, ref uint count)
    {
        if (array == 0)
        {
            count = CpuidPolicy.MaxLeaves;
            return Errno.Ok;
        }

        uint written = 0;
        for (uint position = 0; CpuidPolicy.NextLeaf(policy, ref position, out CpuIdLeaf leaf); written++)
        {
            if (written == count)
            {
                return Errno.NoBufs;
            }

            CpuIdLeaf copy = leaf;
            if (!GuestMemory.WriteElement(array, written, &copy))
            {
                return Errno.Fault;
            }
        }

        count = written;
        return Errno.Ok;
    }

    private static Errno CopyMsrs(CpuPolicy* policy, ulong array, ref uint count)
    {
        if (array == 0)
        {
            count = CpuidPolicy.MaxMsrs;
            return Errno.Ok;
        }

        uint written = 0;
        for (uint position = 0; CpuidPolicy.NextMsr(policy, ref position, out MsrEntry entry); written++)
        {
            if (written == count)
            {
                return Errno.NoBufs;
            }

            MsrEntry copy = entry;
            if (!GuestMemory.WriteElement(array, written, &copy))
            {
                return Errno.Fault;
            }
        }

        count = written;
        return Errno.Ok;
    }
}
