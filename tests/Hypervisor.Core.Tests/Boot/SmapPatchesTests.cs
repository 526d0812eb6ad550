// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Boot;
using Iced.Intel;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed unsafe class SmapPatchesTests : IDisposable
{
    private readonly byte* _code = (byte*)NativeMemory.AllocZeroed(256);

    public void Dispose() => NativeMemory.Free(_code);

    [Fact]
    public void A_no_op_becomes_CLAC_and_a_plain_routine_a_jump_to_its_twin()
    {
        ulong code = (ulong)_code;
        new byte[] { 0xFC, 0x0F, 0x1F, 0x00, 0xC3 }.CopyTo(new Span<byte>(_code, 5));
        new byte[] { 0x48, 0x8B, 0x06, 0xB8, 1, 0, 0, 0, 0xC3 }.CopyTo(new Span<byte>(_code + 16, 9));
        Assert.Equal(Code.Nop_rm32, DecodeAt(code + 1).Code);

        ulong* sites = stackalloc ulong[1];
        sites[0] = code + 1;
        ulong* routines = stackalloc ulong[4];
        routines[0] = code + 16;
        routines[1] = code + 128;
        routines[2] = code + 192;
        routines[3] = code + 64;
        SmapPatches.Apply(sites, sites + 1, routines, routines + 4);

        Assert.Equal(Mnemonic.Cld, DecodeAt(code).Mnemonic);
        Assert.Equal(Mnemonic.Clac, DecodeAt(code + 1).Mnemonic);
        Assert.Equal(Mnemonic.Ret, DecodeAt(code + 4).Mnemonic);
        Assert.Equal(code + 128, DecodeAt(code + 16).NearBranchTarget);
        Assert.Equal(Mnemonic.Ret, DecodeAt(code + 24).Mnemonic);
        Assert.Equal(code + 64, DecodeAt(code + 192).NearBranchTarget);
    }

    private Instruction DecodeAt(ulong address)
    {
        byte[] bytes = new ReadOnlySpan<byte>((void*)address, 16).ToArray();
        return Decoder.Create(64, bytes, address).Decode();
    }
}
