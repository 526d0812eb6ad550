// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Control;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Efi;

/// <summary>Calls of a firmware that is played by the test.</summary>
public sealed unsafe class EfiRuntimeTests : IDisposable
{
    private const ulong NotFound = 0x8000_0000_0000_000E;
    private const ulong TooSmall = 0x8000_0000_0000_0005;
    private const uint Attributes = 7;

    private readonly TestHost _host = new();
    private readonly EfiMemory _memory = new();
    private readonly ulong _freeBefore;
    private int _calls;

    public EfiRuntimeTests()
    {
        _ = _memory.AddDescriptor(5, EfiMemory.RuntimeCode, 1, 1UL << 63);
        Assert.Equal(EfiError.Ok, _memory.Read());
        EfiTables.Current = _memory.Firmware;
        _freeBefore = PageAllocator.FreeFrames;
    }

    private PlatformOp* Platform => _host.At<PlatformOp>();

    private PlatformEfiRuntimeCall* Request => &Platform->EfiRuntimeCall;

    public void Dispose()
    {
        Assert.Equal(_freeBefore, PageAllocator.FreeFrames);
        EfiTables.Current = null;
        _memory.Dispose();
    }

    [Fact]
    public void A_variable_is_read_with_its_attributes()
    {
        PrepareVariable("SecureBoot", 16);
        Request->GetVariableVendorGuid.Data1 = 0x8BE4DF61;
        Play(72, arguments =>
        {
            Assert.Equal("SecureBoot", new string((char*)arguments[0]));
            Assert.Equal(0x8BE4DF61u, *(uint*)arguments[1]);
            Assert.Equal(16UL, *(ulong*)arguments[3]);
            *(uint*)arguments[2] = Attributes;
            *(ulong*)arguments[3] = 2;
            *(ushort*)arguments[4] = 0x0201;
            return 0;
        });

        Assert.Equal(0, Call());

        Assert.Equal((0UL, 2UL, Attributes), (Request->Status, Request->GetVariableSize, Request->Misc));
        Assert.Equal(0x0201u, *_host.At<uint>(TestHost.ListAddress));
    }

    [Fact]
    public void A_variable_that_needs_more_room_says_how_much()
    {
        PrepareVariable("db", 0);
        Play(72, arguments =>
        {
            Assert.Equal((0UL, 0UL), (*(ulong*)arguments[3], arguments[4]));
            *(ulong*)arguments[3] = 3000;
            return TooSmall;
        });
        Assert.Equal(0, Call());
        Assert.Equal((TooSmall, 3000UL, 0u), (Request->Status, Request->GetVariableSize, Request->Misc));
    }

    [Fact]
    public void A_buffer_of_any_size_costs_no_more_than_the_largest()
    {
        PrepareVariable("db", ulong.MaxValue);
        Play(72, arguments =>
        {
            Assert.Equal(65536UL, *(ulong*)arguments[3]);
            return NotFound;
        });
        Assert.Equal(0, Call());
        Assert.Equal((NotFound, ulong.MaxValue), (Request->Status, Request->GetVariableSize));
    }

    [Fact]
    public void A_firmware_that_claims_to_have_written_beyond_the_buffer_is_not_believed()
    {
        PrepareVariable("db", 8);
        Play(72, arguments =>
        {
            *(ulong*)arguments[3] = 0x10_0000;
            return 0;
        });
        Assert.Equal(-(long)Errno.Fault, Call());
    }

    [Fact]
    public void A_name_without_an_end_or_out_of_reach_is_refused_before_the_firmware_is_called()
    {
        PrepareVariable(new string('x', 2048), 8);
        Assert.Equal(-(long)Errno.Inval, Call());
        PrepareVariable("x", 8);
        Request->GetVariableName = MemoryLayout.DirectMap;
        Assert.Equal(-(long)Errno.Fault, Call());
        PrepareVariable("x", 8);
        Request->Misc = 1;
        Assert.Equal(-(long)Errno.Inval, Call());
        Assert.Equal(0, _calls);
    }

    [Fact]
    public void Data_that_cannot_be_written_is_a_fault()
    {
        PrepareVariable("x", 8);
        Request->GetVariableData = MemoryLayout.DirectMap;
        Play(72, _ => 0);
        Assert.Equal(-(long)Errno.Fault, Call());
    }

    [Fact]
    public void Names_are_walked()
    {
        Prepare(EfiRuntimeFunction.GetNextVariableName);
        WriteName("Old");
        Request->GetNextVariableNameName = TestHost.BufferAddress;
        Request->GetNextVariableNameSize = 64;
        Play(80, arguments =>
        {
            Assert.Equal(64UL, *(ulong*)arguments[0]);
            Assert.Equal("Old", new string((char*)arguments[1]));
            "Next\0".CopyTo(new Span<char>((void*)arguments[1], 5));
            *(ulong*)arguments[0] = 10;
            *(uint*)arguments[2] = 42;
            return 0;
        });
        Assert.Equal(0, Call());
        Assert.Equal("Next", new string(_host.At<char>(TestHost.BufferAddress)));
        Assert.Equal((10UL, 42u), (Request->GetNextVariableNameSize, Request->GetNextVariableNameVendorGuid.Data1));

        Prepare(EfiRuntimeFunction.GetNextVariableName);
        Request->GetNextVariableNameName = TestHost.BufferAddress;
        Request->GetNextVariableNameSize = 6;
        Assert.Equal(-(long)Errno.Inval, Call());
        Request->GetNextVariableNameSize = 0;
        Assert.Equal(-(long)Errno.Inval, Call());
    }

    [Fact]
    public void Time_and_room_are_told()
    {
        Prepare(EfiRuntimeFunction.GetTime);
        Play(24, arguments =>
        {
            ((PlatformEfiTime*)arguments[0])->Year = 2026;
            ((uint*)arguments[1])[0] = 1;
            ((byte*)arguments[1])[8] = 1;
            return 0;
        });
        Assert.Equal(0, Call());
        Assert.Equal((2026, 1u, 1u), (Request->GetTimeTime.Year, Request->GetTimeResolution, Request->Misc));

        Prepare(EfiRuntimeFunction.QueryVariableInfo);
        Request->QueryVariableInfoAttr = Attributes;
        Play(128, arguments =>
        {
            Assert.Equal(Attributes, arguments[0]);
            *(ulong*)arguments[2] = 5;
            return 0;
        });
        Assert.Equal(0, Call());
        Assert.Equal(5UL, Request->QueryVariableInfoRemainStoreSize);
    }

    [Theory]
    [InlineData(EfiRuntimeFunction.SetTime)]
    [InlineData(EfiRuntimeFunction.UpdateCapsule)]
    [InlineData((EfiRuntimeFunction)99)]
    public void What_changes_something_is_refused(EfiRuntimeFunction function)
    {
        Prepare(function);
        Assert.Equal(-(long)Errno.OpNotSupp, Call());
    }

    [Fact]
    public void Variables_are_write_protected()
    {
        PrepareVariable("x", 8);
        Request->Function = (uint)EfiRuntimeFunction.SetVariable;
        Assert.Equal(0, Call());
        Assert.Equal(0x8000_0000_0000_0008UL, Request->Status);
    }

    [Fact]
    public void Services_outside_of_the_firmwares_memory_are_not_called()
    {
        using EfiMemory other = new();
        other.Bytes.Write64(EfiMemory.RuntimeAt + 72, 0x6000);
        _ = other.AddDescriptor(5, EfiMemory.RuntimeCode, 1, 1UL << 63);
        _ = other.AddDescriptor(7, 0x6000, 1);
        Assert.Equal(EfiError.Ok, other.Read());
        Assert.Equal(0UL, other.Firmware->GetVariable);
        Assert.NotEqual(0UL, other.Firmware->GetTime);
        EfiTables.Current = other.Firmware;
        PrepareVariable("x", 8);
        Assert.Equal(-(long)Errno.OpNotSupp, Call());
        other.Firmware->ForgetRuntime();
        Assert.False(other.Firmware->HasRuntime);
    }

    private delegate ulong Service(ulong* arguments);

    private void Play(int offset, Service service) => _host.Machine.OnFirmwareCall = (function, arguments) =>
    {
        _calls++;
        Assert.Equal(EfiMemory.RuntimeCode + (ulong)offset, function);
        return service((ulong*)arguments);
    };

    private void PrepareVariable(string name, ulong size)
    {
        Prepare(EfiRuntimeFunction.GetVariable);
        WriteName(name);
        Request->GetVariableName = TestHost.BufferAddress;
        Request->GetVariableData = TestHost.ListAddress;
        Request->GetVariableSize = size;
    }

    private void WriteName(string name) =>
        (name + "\0").CopyTo(new Span<char>(_host.At<char>(TestHost.BufferAddress), name.Length + 1));

    private void Prepare(EfiRuntimeFunction function)
    {
        *Platform = default;
        Platform->Cmd = (uint)PlatformCommand.EfiRuntimeCall;
        Platform->InterfaceVersion = PlatformInterface.Version;
        Request->Function = (uint)function;
    }

    private long Call() => PlatformOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw;
}
