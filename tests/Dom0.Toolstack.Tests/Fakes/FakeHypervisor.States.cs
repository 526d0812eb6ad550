// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Tests.Fakes;

/// <content>What makes up a domain's state, for those who save and restore it.</content>
public sealed unsafe partial class FakeHypervisor
{
    private const int VectorBytes = 64;
    private const ulong VectorComponents = 7;

    public sealed partial class Domain
    {
        public uint OnlineVcpus { get; set; } = 1;

        public Dictionary<uint, byte[]> Registers { get; } = [];

        public Dictionary<uint, DomCtlExtVcpuContext> Extended { get; } = [];

        public Dictionary<uint, byte[]> Vectors { get; } = [];

        public Dictionary<uint, DomCtlVcpuMsr[]> Msrs { get; } = [];

        public DomCtlTscInfo Tsc { get; set; }

        public CpuIdLeaf[] Leaves { get; set; } = [];

        public Dictionary<ulong, uint> Tables { get; } = [];

        public int Resumes { get; set; }
    }

    /// <summary>Bits of a guest's addresses.</summary>
    public uint AddressSize { get; set; } = 64;

    private int RunState(DomCtlCommand command, ref DomCtl call, Domain domain)
    {
        switch (command)
        {
            case DomCtlCommand.GetAddressSize:
                call.AddressSize.Size = AddressSize;
                return 0;
            case DomCtlCommand.GetPageFrameInfo3:
                if (call.GetPageFrameInfo3.Num > 1024)
                {
                    return -7;
                }

                foreach (ref ulong entry in new Span<ulong>((void*)call.GetPageFrameInfo3.Array,
                    (int)call.GetPageFrameInfo3.Num))
                {
                    entry = domain.Frames.Contains(entry)
                        ? domain.Tables.GetValueOrDefault(entry)
                        : PageFrameInfo.XTab;
                }

                return 0;
            case DomCtlCommand.GetVcpuContext when domain.Registers.TryGetValue(call.VcpuContext.Vcpu, out byte[]? state):
                state.CopyTo(new Span<byte>((void*)call.VcpuContext.Ctxt, sizeof(VcpuGuestContext)));
                return 0;
            case DomCtlCommand.GetExtVcpuContext:
                call.ExtVcpuContext = domain.Extended.GetValueOrDefault(call.ExtVcpuContext.Vcpu);
                call.ExtVcpuContext.Size = (uint)sizeof(DomCtlExtVcpuContext);
                return 0;
            case DomCtlCommand.SetExtVcpuContext:
                domain.Extended[call.ExtVcpuContext.Vcpu] = call.ExtVcpuContext;
                return call.ExtVcpuContext.Size == sizeof(DomCtlExtVcpuContext) ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.GetVcpuExtState:
                byte[] vectors = domain.Vectors.GetValueOrDefault(call.VcpuExtState.Vcpu) ?? new byte[VectorBytes];
                if (call.VcpuExtState is { Size: 0, XfeatureMask: 0 })
                {
                    call.VcpuExtState.Size = (ulong)vectors.Length;
                    call.VcpuExtState.XfeatureMask = VectorComponents;
                    return 0;
                }

                // Xen hands out all components in a buffer of the right size, or nothing.
                if (call.VcpuExtState.Size != (ulong)vectors.Length
                    || call.VcpuExtState.XfeatureMask != VectorComponents)
                {
                    return -LibcErrno.Invalid;
                }

                vectors.CopyTo(new Span<byte>((void*)call.VcpuExtState.Buffer, vectors.Length));
                return 0;
            case DomCtlCommand.SetVcpuExtState:
                domain.Vectors[call.VcpuExtState.Vcpu] = new ReadOnlySpan<byte>(
                    (void*)call.VcpuExtState.Buffer, (int)call.VcpuExtState.Size).ToArray();
                return call.VcpuExtState.Size == VectorBytes ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.GetVcpuMsrs:
                DomCtlVcpuMsr[] msrs = domain.Msrs.GetValueOrDefault(call.VcpuMsrs.Vcpu) ?? [];
                if (call.VcpuMsrs.Msrs != 0)
                {
                    msrs.CopyTo(new Span<DomCtlVcpuMsr>((void*)call.VcpuMsrs.Msrs, (int)call.VcpuMsrs.MsrCount));
                }

                call.VcpuMsrs.MsrCount = (uint)msrs.Length;
                return 0;
            case DomCtlCommand.SetVcpuMsrs:
                domain.Msrs[call.VcpuMsrs.Vcpu] = new ReadOnlySpan<DomCtlVcpuMsr>(
                    (void*)call.VcpuMsrs.Msrs, (int)call.VcpuMsrs.MsrCount).ToArray();
                return 0;
            case DomCtlCommand.GetTscInfo:
                call.TscInfo = domain.Tsc;
                return 0;
            case DomCtlCommand.GetCpuPolicy:
                domain.Leaves.CopyTo(new Span<CpuIdLeaf>((void*)call.CpuPolicy.Leaves, (int)call.CpuPolicy.NrLeaves));
                call.CpuPolicy.NrLeaves = (uint)domain.Leaves.Length;
                return 0;
            case DomCtlCommand.ResumeDomain:
                domain.IsShutdown = false;
                domain.Resumes++;
                return 0;
            default:
                return -LibcErrno.NotImplemented;
        }
    }
}
