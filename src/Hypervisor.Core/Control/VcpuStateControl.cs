// SPDX-License-Identifier: MIT
// State of a vCPU beyond vcpu_guest_context, for those who save and restore domains: callbacks for 32-bit system
// calls, vector registers, MSRs. Every call stops the vCPU for its duration. What the tools bring is checked as if
// a guest had made it.

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>ext_vcpucontext, vcpuextstate and vcpu_msrs.</summary>
public static unsafe class VcpuStateControl
{
    private const uint TscAuxMsr = Msr.TscAux;
    private const uint MsrCount = 1;

    /// <summary>Two words before the image: XCR0, and the components ever used.</summary>
    private const uint StateHeader = 16;
    private const uint LegacyAndHeader = 576;
    private const uint XsaveHeader = 512;
    private const uint XsaveHeaderWords = 8;
    private const uint MxcsrOffset = 24;
    private const int StagingOrder = 1;

    private const ulong ResetXcr0 = 1;

    /// <summary>x87 and SSE: in use whatever XCR0 says.</summary>
    private const ulong BaseComponents = 3;

    /// <summary>Bytes of ext_vcpucontext before the machine-check part, which came later.</summary>
    private const uint LeastExtendedSize = 32;

    public static HypercallResult GetExtended(Domain* domain, DomCtlExtVcpuContext* context)
    {
        uint id = context->Vcpu;
        Vcpu* vcpu = domain->VcpuOf(id);
        if (vcpu == null)
        {
            return Errno.Srch;
        }

        VcpuScheduling.PauseSynchronously(vcpu);
        *context = default;
        context->Vcpu = id;
        context->Size = (uint)sizeof(DomCtlExtVcpuContext);
        context->SysEnterCallbackCs = vcpu->SysenterSelector;
        context->SysEnterCallbackEip = vcpu->SysenterCallback;
        context->SysEnterDisablesEvents = vcpu->SysenterMasksEvents ? (byte)1 : (byte)0;
        context->SysCall32CallbackCs = vcpu->Syscall32Selector;
        context->SysCall32CallbackEip = vcpu->Syscall32Callback;
        context->SysCall32DisablesEvents = vcpu->Syscall32MasksEvents ? (byte)1 : (byte)0;
        VcpuScheduling.Unpause(vcpu);
        return Errno.Ok;
    }

    /// <remarks>The machine-check part is not looked at: guests have no such state here.</remarks>
    public static HypercallResult SetExtended(Domain* domain, in DomCtlExtVcpuContext context)
    {
        Vcpu* vcpu = domain->VcpuOf(context.Vcpu);
        if (vcpu == null)
        {
            return Errno.Srch;
        }

        if (context.Size < LeastExtendedSize || !IsCodeOrNull(context.SysEnterCallbackEip)
            || !IsCodeOrNull(context.SysCall32CallbackEip))
        {
            return Errno.Inval;
        }

        VcpuScheduling.PauseSynchronously(vcpu);
        vcpu->SysenterSelector = (ushort)(context.SysEnterCallbackCs | 3);
        vcpu->SysenterCallback = context.SysEnterCallbackEip;
        vcpu->SysenterMasksEvents = context.SysEnterDisablesEvents != 0;
        vcpu->Syscall32Selector = (ushort)(context.SysCall32CallbackCs | 3);
        vcpu->Syscall32Callback = context.SysCall32CallbackEip;
        vcpu->Syscall32MasksEvents = context.SysCall32DisablesEvents != 0;
        VcpuScheduling.Unpause(vcpu);
        return Errno.Ok;
    }

    /// <summary>Without a buffer only its size is told; 0 where the processor has no XSAVE.</summary>
    public static HypercallResult GetExtendedState(Domain* domain, DomCtlVcpuExtState* request)
    {
        Vcpu* vcpu = domain->VcpuOf(request->Vcpu);
        if (vcpu == null)
        {
            return Errno.Srch;
        }

        VcpuScheduling.PauseSynchronously(vcpu);
        HypercallResult result = CopyStateOut(vcpu, request);
        VcpuScheduling.Unpause(vcpu);
        return result;
    }

    public static HypercallResult SetExtendedState(Domain* domain, in DomCtlVcpuExtState request)
    {
        Vcpu* vcpu = domain->VcpuOf(request.Vcpu);
        if (vcpu == null)
        {
            return Errno.Srch;
        }

        if (request.Size == 0)
        {
            return Errno.Ok;
        }

        if (ExtendedState.HostXcr0 == 0)
        {
            return Errno.OpNotSupp;
        }

        if (request.Size < StateHeader + LegacyAndHeader || request.Size > StateHeader + ExtendedState.Size)
        {
            return Errno.Inval;
        }

        byte* staging = (byte*)PageAllocator.AllocatePages(StagingOrder);
        if (staging == null)
        {
            return Errno.NoMem;
        }

        Errno error = Errno.Fault;
        if (GuestMemory.Read(request.Buffer, staging, (nuint)request.Size))
        {
            ulong xcr0 = ((ulong*)staging)[0];
            ulong used = ((ulong*)staging)[1];
            error = CheckState(domain, staging + StateHeader, xcr0, used, request.Size - StateHeader);
            if (error == Errno.Ok)
            {
                VcpuScheduling.PauseSynchronously(vcpu);
                vcpu->Xcr0 = xcr0;
                vcpu->Xcr0Accumulated = used;
                Machine.Zero(vcpu->ExtendedState, ExtendedState.Size);
                Machine.Copy(vcpu->ExtendedState, staging + StateHeader, (nuint)(request.Size - StateHeader));
                VcpuScheduling.Unpause(vcpu);
            }
        }

        PageAllocator.FreePages(staging, StagingOrder);
        return error;
    }

    /// <summary>MSRs that are not zero. NoBufs: the caller's list is too short.</summary>
    public static HypercallResult GetMsrs(Domain* domain, DomCtlVcpuMsrs* request)
    {
        Vcpu* vcpu = domain->VcpuOf(request->Vcpu);
        if (vcpu == null)
        {
            return Errno.Inval;
        }

        if (request->Msrs == 0)
        {
            request->MsrCount = MsrCount;
            return Errno.Ok;
        }

        uint room = request->MsrCount;
        request->MsrCount = 0;
        if (vcpu->TscAux == 0)
        {
            return Errno.Ok;
        }

        if (room < MsrCount)
        {
            return Errno.NoBufs;
        }

        DomCtlVcpuMsr entry;
        entry.Index = TscAuxMsr;
        entry.Reserved = 0;
        entry.Value = vcpu->TscAux;
        request->MsrCount = MsrCount;
        return GuestMemory.WriteElement(request->Msrs, 0, &entry) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>The count becomes the number of MSRs set, so that the tools know which one was refused.</summary>
    public static HypercallResult SetMsrs(Domain* domain, DomCtlVcpuMsrs* request)
    {
        Vcpu* vcpu = domain->VcpuOf(request->Vcpu);
        if (vcpu == null)
        {
            return Errno.Inval;
        }

        uint count = request->MsrCount;
        request->MsrCount = 0;
        VcpuScheduling.PauseSynchronously(vcpu);
        Errno error = Errno.Ok;
        while (request->MsrCount < count)
        {
            DomCtlVcpuMsr entry;
            if (!GuestMemory.ReadElement(request->Msrs, request->MsrCount, &entry))
            {
                error = Errno.Fault;
                break;
            }

            // An MSR that vCPUs do not have here may only have been unused.
            bool isTscAux = entry.Index == TscAuxMsr && entry.Value <= uint.MaxValue;
            if (entry.Reserved != 0 || !(isTscAux || entry.Value == 0))
            {
                error = Errno.Inval;
                break;
            }

            vcpu->TscAux = isTscAux ? (uint)entry.Value : vcpu->TscAux;
            request->MsrCount++;
        }

        VcpuScheduling.Unpause(vcpu);
        return error;
    }

    private static HypercallResult CopyStateOut(Vcpu* vcpu, DomCtlVcpuExtState* request)
    {
        ulong used = vcpu->Xcr0Accumulated | vcpu->Xcr0 | BaseComponents;
        if (ExtendedState.HostXcr0 == 0)
        {
            request->XfeatureMask = 0;
            request->Size = 0;
            return Errno.Ok;
        }

        uint size = StateHeader + SizeOf(used);
        if (request->Buffer == 0 || request->Size == 0)
        {
            request->XfeatureMask = ExtendedState.HostXcr0;
            request->Size = size;
            return Errno.Ok;
        }

        if (request->Size < size)
        {
            return Errno.NoBufs;
        }

        ulong* words = stackalloc ulong[2];
        words[0] = vcpu->Xcr0;
        words[1] = used;
        request->XfeatureMask = ExtendedState.HostXcr0;
        request->Size = size;

        // The hypervisor saves all that the processor has; what the guest never enabled is not its own.
        ulong present = *(ulong*)(vcpu->ExtendedState + XsaveHeader) & used;
        ulong image = request->Buffer + StateHeader;
        return GuestMemory.Write(request->Buffer, words, StateHeader)
            && GuestMemory.Write(image, vcpu->ExtendedState, size - StateHeader)
            && GuestMemory.Write(image + XsaveHeader, &present)
            ? Errno.Ok
            : Errno.Fault;
    }

    /// <summary>Refuses an image that the processor would refuse, or that holds what the domain may not
    /// have.</summary>
    private static Errno CheckState(Domain* domain, byte* image, ulong xcr0, ulong used, ulong size)
    {
        ulong* header = (ulong*)(image + XsaveHeader);
        ulong allowed = CpuidPolicy.ExtendedStateMask(domain->CpuidPolicy) | BaseComponents;
        if ((xcr0 != ResetXcr0 && !CpuidPolicy.IsValidXcr0(domain->CpuidPolicy, xcr0))
            || (used & ~allowed) != 0 || (xcr0 & ~used) != 0 || (header[0] & ~used) != 0 || size < SizeOf(header[0]))
        {
            return Errno.Inval;
        }

        for (uint word = 1; word < XsaveHeaderWords; word++)
        {
            if (header[word] != 0)
            {
                return Errno.Inval;
            }
        }

        return *(uint*)(image + MxcsrOffset) >> 16 == 0 ? Errno.Ok : Errno.Inval;
    }

    /// <summary>Bytes of an image with these components.</summary>
    private static uint SizeOf(ulong components)
    {
        CpuidContext context = default;
        context.Xcr0 = components;
        CpuidPolicy.Read(SystemPolicies.PvMax, context, 0xD, 0, out CpuidResult result);
        uint size = result.B < LegacyAndHeader ? LegacyAndHeader : result.B;
        return size < ExtendedState.Size ? size : ExtendedState.Size;
    }

    private static bool IsCodeOrNull(ulong address) => address == 0 || GuestAddress.IsCode(address);
}
