// SPDX-License-Identifier: MIT
// Domain-0 may ask the firmware for what it keeps: time and variables. What changes something (time, alarm, variables,
// capsules) is refused: a mistake there can leave a machine that does not start any more.
//
// The firmware sees copies only, in the hypervisor's memory: names and buffers of bounded size, never a guest's address.
// It is not reentrant, and is called with interrupts off.
//
// Locking: s_lock covers a call of the firmware and nothing else; nothing is taken inside.

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Efi;

/// <summary>Platform operation efi_runtime_call.</summary>
public static unsafe class EfiRuntimeOps
{
    /// <summary>Bytes of a variable's name, its terminator included, and of its content, that are passed on.</summary>
    private const uint LargestName = 4096;
    private const int NameOrder = 0;
    private const uint LargestData = 64 << 10;
    private const int DataOrder = 4;

    private const ulong Success = 0;
    private const ulong BufferTooSmall = 0x8000_0000_0000_0005;
    private const ulong WriteProtected = 0x8000_0000_0000_0008;

    private static SpinLock s_lock;

    /// <summary>Answers into <paramref name="call"/>; the status of the firmware is in it where the result is Ok.</summary>
    /// <returns>NoSys: no EFI. OpNotSupp: not passed on, or not offered by the firmware. Inval: a name without an end,
    /// unknown flags. Fault, NoMem.</returns>
    public static Errno Call(PlatformEfiRuntimeCall* call)
    {
        EfiFirmware* firmware = EfiTables.Current;
        if (firmware == null)
        {
            return Errno.NoSys;
        }

        return (EfiRuntimeFunction)call->Function switch
        {
            EfiRuntimeFunction.GetTime when firmware->GetTime != 0 => GetTime(firmware, call),
            EfiRuntimeFunction.GetVariable when firmware->GetVariable != 0 => GetVariable(firmware, call),
            EfiRuntimeFunction.GetNextVariableName when firmware->GetNextVariableName != 0 =>
                GetNextVariableName(firmware, call),
            EfiRuntimeFunction.QueryVariableInfo when firmware->QueryVariableInfo != 0 =>
                QueryVariableInfo(firmware, call),
            EfiRuntimeFunction.SetVariable => RefuseVariable(call),
            _ => Errno.OpNotSupp,
        };
    }

    /// <summary>In the firmware's own words, which Linux has an error for (EROFS); of an error of the call it makes EINVAL.</summary>
    private static Errno RefuseVariable(PlatformEfiRuntimeCall* call)
    {
        call->Status = WriteProtected;
        return Errno.Ok;
    }

    private static ulong CallFirmware(ulong function, ulong* arguments)
    {
        s_lock.Acquire();
        ulong status = Machine.CallFirmware(function, arguments);
        s_lock.Release();
        return status;
    }

    private static Errno GetTime(EfiFirmware* firmware, PlatformEfiRuntimeCall* call)
    {
        // EFI_TIME_CAPABILITIES: resolution, accuracy, and whether setting clears what is below the resolution.
        uint* capabilities = stackalloc uint[4];
        PlatformEfiTime time = default;
        ulong* arguments = stackalloc ulong[5];
        if (call->Misc != 0)
        {
            return Errno.Inval;
        }

        capabilities[2] = 0;
        arguments[0] = (ulong)&time;
        arguments[1] = (ulong)capabilities;
        call->Status = CallFirmware(firmware->GetTime, arguments);
        if (call->Status == Success)
        {
            call->GetTimeTime = time;
            call->GetTimeResolution = capabilities[0];
            call->GetTimeAccuracy = capabilities[1];
            call->Misc = (capabilities[2] & 0xFF) != 0 ? EfiRuntimeFlags.GetTimeSetClearsNs : 0;
        }

        return Errno.Ok;
    }

    private static Errno GetVariable(EfiFirmware* firmware, PlatformEfiRuntimeCall* call)
    {
        if (call->Misc != 0)
        {
            return Errno.Inval;
        }

        ushort* name = (ushort*)PageAllocator.AllocatePages(NameOrder);
        byte* data = (byte*)PageAllocator.AllocatePages(DataOrder);
        Errno error = name == null || data == null ? Errno.NoMem : ReadName(call->GetVariableName, LargestName, name);
        if (error == Errno.Ok)
        {
            error = GetVariable(firmware, call, name, data);
        }

        Free(name, NameOrder);
        Free(data, DataOrder);
        return error;
    }

    private static Errno GetVariable(EfiFirmware* firmware, PlatformEfiRuntimeCall* call, ushort* name, byte* data)
    {
        uint attributes = 0;
        ulong room = call->GetVariableSize < LargestData ? call->GetVariableSize : LargestData;
        ulong size = room;
        PlatformEfiGuid vendor = call->GetVariableVendorGuid;
        ulong* arguments = stackalloc ulong[5];
        arguments[0] = (ulong)name;
        arguments[1] = (ulong)&vendor;
        arguments[2] = (ulong)&attributes;
        arguments[3] = (ulong)&size;
        arguments[4] = room != 0 ? (ulong)data : 0;
        call->Status = CallFirmware(firmware->GetVariable, arguments);
        if (call->Status is Success or BufferTooSmall)
        {
            call->GetVariableSize = size;
        }

        if (call->Status != Success)
        {
            return Errno.Ok;
        }

        call->Misc = attributes;
        return size <= room && GuestMemory.Write(call->GetVariableData, data, (nuint)size) ? Errno.Ok : Errno.Fault;
    }

    private static Errno GetNextVariableName(EfiFirmware* firmware, PlatformEfiRuntimeCall* call)
    {
        if (call->Misc != 0)
        {
            return Errno.Inval;
        }

        ushort* name = (ushort*)PageAllocator.AllocatePages(NameOrder);
        uint room = call->GetNextVariableNameSize < LargestName ? (uint)call->GetNextVariableNameSize : LargestName;
        Errno error = name == null ? Errno.NoMem : ReadName(call->GetNextVariableNameName, room, name);
        if (error == Errno.Ok)
        {
            ulong size = room;
            PlatformEfiGuid vendor = call->GetNextVariableNameVendorGuid;
            ulong* arguments = stackalloc ulong[5];
            arguments[0] = (ulong)&size;
            arguments[1] = (ulong)name;
            arguments[2] = (ulong)&vendor;
            call->Status = CallFirmware(firmware->GetNextVariableName, arguments);
            if (call->Status is Success or BufferTooSmall)
            {
                call->GetNextVariableNameSize = size;
            }

            if (call->Status == Success)
            {
                call->GetNextVariableNameVendorGuid = vendor;
                error = size <= room && GuestMemory.Write(call->GetNextVariableNameName, name, (nuint)size)
                    ? Errno.Ok : Errno.Fault;
            }
        }

        Free(name, NameOrder);
        return error;
    }

    private static Errno QueryVariableInfo(EfiFirmware* firmware, PlatformEfiRuntimeCall* call)
    {
        ulong* sizes = stackalloc ulong[3];
        ulong* arguments = stackalloc ulong[5];
        if (call->Misc != 0)
        {
            // A picture from the time of the boot was not taken.
            return call->Misc == EfiRuntimeFlags.VarinfoBootSnapshot ? Errno.OpNotSupp : Errno.Inval;
        }

        for (int index = 0; index < 3; index++)
        {
            sizes[index] = 0;
        }

        arguments[0] = call->QueryVariableInfoAttr;
        arguments[1] = (ulong)sizes;
        arguments[2] = (ulong)(sizes + 1);
        arguments[3] = (ulong)(sizes + 2);
        call->Status = CallFirmware(firmware->QueryVariableInfo, arguments);
        if (call->Status == Success)
        {
            call->QueryVariableInfoMaxStoreSize = sizes[0];
            call->QueryVariableInfoRemainStoreSize = sizes[1];
            call->QueryVariableInfoMaxSize = sizes[2];
        }

        return Errno.Ok;
    }

    /// <summary>Copies a string that ends within <paramref name="bytes"/>; what follows it stays zero.</summary>
    private static Errno ReadName(ulong address, uint bytes, ushort* name)
    {
        for (uint index = 0; index < bytes / sizeof(ushort); index++)
        {
            if (!GuestMemory.ReadElement(address, index, name + index))
            {
                return Errno.Fault;
            }

            if (name[index] == 0)
            {
                return Errno.Ok;
            }
        }

        return Errno.Inval;
    }

    private static void Free(void* pages, int order)
    {
        if (pages != null)
        {
            PageAllocator.FreePages(pages, order);
        }
    }
}
