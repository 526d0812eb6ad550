// SPDX-License-Identifier: MIT
//
// What makes up a paravirtualized domain beside its memory, piece by piece as domctl hands it out and takes it back.
// The pieces travel as bytes: what lies in them is between one hypervisor and another. Where a piece has a size that the
// hypervisor chooses, it is asked for first with no buffer, as the headers say.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>The state of domains, for those who save and restore it: <c>domctl</c>, interface version 0x15.</summary>
public sealed class StateControl
{
    /// <summary>Most frames that one question about their types may name.</summary>
    public const int MaximumFrames = 1024;

    /// <summary>Bytes of the extended state that mean something; the structure's tail is not used any more.</summary>
    public static readonly int ExtendedSize = Unsafe.SizeOf<DomCtlExtVcpuContext>();

    private readonly HypercallGate _gate;

    internal StateControl(HypercallGate gate) => _gate = gate;

    /// <summary>Replaces frame numbers by what the frames are in use for: <see cref="PageFrameInfo"/>.</summary>
    public void GetPageTypes(DomId domain, Span<ulong> frames)
    {
        using NativeRegion array = _gate.Channel.Allocate(frames.Length * sizeof(ulong));
        frames.CopyTo(array.As<ulong>());
        ref DomCtl call = ref Prepare(DomCtlCommand.GetPageFrameInfo3, domain);
        call.GetPageFrameInfo3.Num = (ulong)frames.Length;
        call.GetPageFrameInfo3.Array = array.Address;
        Run("getpageframeinfo3", domain);
        array.As<ulong>()[..frames.Length].CopyTo(frames);
    }

    /// <summary>Bits of the guest's addresses.</summary>
    public int GetAddressSize(DomId domain)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetAddressSize, domain);
        Run("get_address_size", domain);
        return (int)call.AddressSize.Size;
    }

    /// <summary>A virtual CPU's registers: a <see cref="VcpuGuestContext"/>.</summary>
    public byte[] GetVcpu(DomId domain, int vcpu)
    {
        using NativeRegion context = _gate.Channel.Allocate(Unsafe.SizeOf<VcpuGuestContext>());
        ref DomCtl call = ref Prepare(DomCtlCommand.GetVcpuContext, domain);
        call.VcpuContext.Vcpu = (uint)vcpu;
        call.VcpuContext.Ctxt = context.Address;
        Run("getvcpucontext", domain, vcpu);
        return context.Bytes[..Unsafe.SizeOf<VcpuGuestContext>()].ToArray();
    }

    /// <summary>Sets what <see cref="GetVcpu"/> got.</summary>
    public void SetVcpu(DomId domain, int vcpu, ReadOnlySpan<byte> state)
    {
        using NativeRegion context = Copy(state);
        ref DomCtl call = ref Prepare(DomCtlCommand.SetVcpuContext, domain);
        call.VcpuContext.Vcpu = (uint)vcpu;
        call.VcpuContext.Ctxt = context.Address;
        Run("setvcpucontext", domain, vcpu);
    }

    /// <summary>A virtual CPU's further entry points: a <see cref="DomCtlExtVcpuContext"/>.</summary>
    public byte[] GetExtended(DomId domain, int vcpu)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetExtVcpuContext, domain);
        call.ExtVcpuContext.Vcpu = (uint)vcpu;
        Run("get_ext_vcpucontext", domain, vcpu);
        return MemoryMarshal.AsBytes(new ReadOnlySpan<DomCtlExtVcpuContext>(in call.ExtVcpuContext)).ToArray();
    }

    /// <summary>Sets what <see cref="GetExtended"/> got.</summary>
    public void SetExtended(DomId domain, int vcpu, ReadOnlySpan<byte> state)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.SetExtVcpuContext, domain);
        state.CopyTo(MemoryMarshal.AsBytes(new Span<DomCtlExtVcpuContext>(ref call.ExtVcpuContext)));
        call.ExtVcpuContext.Vcpu = (uint)vcpu;
        Run("set_ext_vcpucontext", domain, vcpu);
    }

    /// <summary>A virtual CPU's vector registers and their like; empty when it has none beyond the legacy ones.</summary>
    public byte[] GetVectors(DomId domain, int vcpu)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetVcpuExtState, domain);
        call.VcpuExtState.Vcpu = (uint)vcpu;
        Run("getvcpuextstate (size)", domain, vcpu);
        (ulong size, ulong components) = (call.VcpuExtState.Size, call.VcpuExtState.XfeatureMask);
        if (size == 0)
        {
            return [];
        }

        using NativeRegion buffer = _gate.Channel.Allocate(checked((int)size));
        call = ref Prepare(DomCtlCommand.GetVcpuExtState, domain);
        call.VcpuExtState.Vcpu = (uint)vcpu;
        call.VcpuExtState.Size = size;
        call.VcpuExtState.XfeatureMask = components;
        call.VcpuExtState.Buffer = buffer.Address;
        Run("getvcpuextstate", domain, vcpu);
        return buffer.Bytes[..(int)Math.Min(call.VcpuExtState.Size, size)].ToArray();
    }

    /// <summary>Sets what <see cref="GetVectors"/> got.</summary>
    public void SetVectors(DomId domain, int vcpu, ReadOnlySpan<byte> state)
    {
        using NativeRegion buffer = Copy(state);
        ref DomCtl call = ref Prepare(DomCtlCommand.SetVcpuExtState, domain);
        call.VcpuExtState.Vcpu = (uint)vcpu;
        call.VcpuExtState.Size = (ulong)state.Length;
        call.VcpuExtState.Buffer = buffer.Address;
        Run("setvcpuextstate", domain, vcpu);
    }

    /// <summary>A virtual CPU's MSRs: an array of <see cref="DomCtlVcpuMsr"/>; empty when all are as at the start.</summary>
    public byte[] GetMsrs(DomId domain, int vcpu)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetVcpuMsrs, domain);
        call.VcpuMsrs.Vcpu = (uint)vcpu;
        Run("get_vcpu_msrs (size)", domain, vcpu);
        uint count = call.VcpuMsrs.MsrCount;
        if (count == 0)
        {
            return [];
        }

        int size = checked((int)count * Unsafe.SizeOf<DomCtlVcpuMsr>());
        using NativeRegion buffer = _gate.Channel.Allocate(size);
        call = ref Prepare(DomCtlCommand.GetVcpuMsrs, domain);
        call.VcpuMsrs.Vcpu = (uint)vcpu;
        call.VcpuMsrs.MsrCount = count;
        call.VcpuMsrs.Msrs = buffer.Address;
        Run("get_vcpu_msrs", domain, vcpu);
        return buffer.Bytes[..((int)Math.Min(call.VcpuMsrs.MsrCount, count) * Unsafe.SizeOf<DomCtlVcpuMsr>())].ToArray();
    }

    /// <summary>Sets what <see cref="GetMsrs"/> got.</summary>
    public void SetMsrs(DomId domain, int vcpu, ReadOnlySpan<byte> state)
    {
        using NativeRegion buffer = Copy(state);
        ref DomCtl call = ref Prepare(DomCtlCommand.SetVcpuMsrs, domain);
        call.VcpuMsrs.Vcpu = (uint)vcpu;
        call.VcpuMsrs.MsrCount = (uint)(state.Length / Unsafe.SizeOf<DomCtlVcpuMsr>());
        call.VcpuMsrs.Msrs = buffer.Address;
        Run("set_vcpu_msrs", domain, vcpu);
    }

    /// <summary>How the domain sees the time stamp counter.</summary>
    public DomCtlTscInfo GetTsc(DomId domain)
    {
        ref DomCtl call = ref Prepare(DomCtlCommand.GetTscInfo, domain);
        Run("gettscinfo", domain);
        return call.TscInfo;
    }

    /// <summary>Sets what <see cref="GetTsc"/> got.</summary>
    public void SetTsc(DomId domain, DomCtlTscInfo info)
    {
        Prepare(DomCtlCommand.SetTscInfo, domain).TscInfo = info;
        Run("settscinfo", domain);
    }

    /// <summary>
    /// What CPUID and feature MSRs tell the domain: arrays of <see cref="CpuIdLeaf"/> and <see cref="MsrEntry"/>.
    /// </summary>
    public (byte[] Leaves, byte[] Msrs) GetCpuPolicy(DomId domain)
    {
        // How large a policy can be is a property of the hypervisor; that of new guests has the same sizes.
        using CpuPolicy room = new SystemControl(_gate).PolicyRoom();
        ref DomCtl call = ref Prepare(DomCtlCommand.GetCpuPolicy, domain);
        call.CpuPolicy.Leaves = room.Leaves.Address;
        call.CpuPolicy.NrLeaves = room.LeafCount;
        call.CpuPolicy.Msrs = room.Msrs.Address;
        call.CpuPolicy.NrMsrs = room.MsrCount;
        Run("get_cpu_policy", domain);
        int leaves = (int)Math.Min(call.CpuPolicy.NrLeaves, room.LeafCount) * Unsafe.SizeOf<CpuIdLeaf>();
        int msrs = (int)Math.Min(call.CpuPolicy.NrMsrs, room.MsrCount) * Unsafe.SizeOf<MsrEntry>();
        return (room.Leaves.Bytes[..leaves].ToArray(), room.Msrs.Bytes[..msrs].ToArray());
    }

    /// <summary>The policy in memory that <see cref="DomainControl.SetCpuPolicy"/> takes.</summary>
    public CpuPolicy LoadCpuPolicy(ReadOnlySpan<byte> leaves, ReadOnlySpan<byte> msrs)
    {
        NativeRegion leafRegion = Copy(leaves);
        try
        {
            return new CpuPolicy(leafRegion, (uint)(leaves.Length / Unsafe.SizeOf<CpuIdLeaf>()), Copy(msrs),
                (uint)(msrs.Length / Unsafe.SizeOf<MsrEntry>()));
        }
        catch
        {
            leafRegion.Dispose();
            throw;
        }
    }

    /// <summary>Lets a domain that has suspended itself run on.</summary>
    public void Resume(DomId domain)
    {
        _ = Prepare(DomCtlCommand.ResumeDomain, domain);
        Run("resumedomain", domain);
    }

    private NativeRegion Copy(ReadOnlySpan<byte> bytes)
    {
        NativeRegion region = _gate.Channel.Allocate(Math.Max(bytes.Length, 1));
        bytes.CopyTo(region.Bytes);
        return region;
    }

    private ref DomCtl Prepare(DomCtlCommand command, DomId domain)
    {
        ref DomCtl call = ref _gate.Prepare<DomCtl>();
        call.Cmd = (uint)command;
        call.InterfaceVersion = DomCtlInterface.Version;
        call.Domain = domain;
        return ref call;
    }

    private void Run(string name, DomId domain, int? vcpu = null) =>
        _ = HypercallGate.Check(_gate.Call(HypercallNumber.DomCtl), $"domctl {name}",
            (vcpu is null ? "" : $"virtual CPU {vcpu} of ") + $"domain {domain.Raw}");
}
