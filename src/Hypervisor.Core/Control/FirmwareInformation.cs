// SPDX-License-Identifier: MIT

using Hypervisor.Core.Efi;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Platform operation firmware_info: what the firmware said before the hypervisor took over.</summary>
public static unsafe class FirmwareInformation
{
    /// <summary>Answers into <paramref name="request"/>.</summary>
    /// <returns>Srch: nothing is known of it. NoSys: this machine has no EFI. Inval: no such question.</returns>
    public static Errno Answer(PlatformFirmwareInfo* request) => (FirmwareInfoType)request->Type switch
    {
        // Nothing was asked of the BIOS at boot, so there are no disks and no screens to tell about.
        FirmwareInfoType.DiskInfo or FirmwareInfoType.DiskMbrSignature or FirmwareInfoType.VbeDdcInfo
            or FirmwareInfoType.KbdShiftFlags => Errno.Srch,
        FirmwareInfoType.EfiInfo => EfiTables.Current == null ? Errno.NoSys : AnswerEfi(EfiTables.Current, request),
        _ => Errno.Inval,
    };

    private static Errno AnswerEfi(EfiFirmware* firmware, PlatformFirmwareInfo* request)
    {
        switch ((EfiInfoIndex)request->Index)
        {
            case EfiInfoIndex.Version:
                request->EfiInfoVersion = firmware->Revision;
                return Errno.Ok;
            case EfiInfoIndex.ConfigTable:
                request->EfiInfoCfgAddr = firmware->Configuration;
                request->EfiInfoCfgNent = firmware->ConfigurationEntries;
                return Errno.Ok;
            case EfiInfoIndex.Vendor:
                return WriteVendor(firmware, request);
            case EfiInfoIndex.MemInfo:
                return DescribeMemory(firmware, request);
            case EfiInfoIndex.RtVersion:
                request->EfiInfoVersion = firmware->RuntimeRevision;
                return firmware->RuntimeRevision != 0 ? Errno.Ok : Errno.OpNotSupp;
            case EfiInfoIndex.PciRom:
                // Option ROMs can be read while boot services run only.
                return Errno.Srch;
            case EfiInfoIndex.AppleProperties:
                return Errno.NoData;
            default:
                return Errno.Inval;
        }
    }

    /// <summary>As much of the name as fits the buffer, its terminator included.</summary>
    private static Errno WriteVendor(EfiFirmware* firmware, PlatformFirmwareInfo* request)
    {
        uint room = request->EfiInfoVendorBufSz / sizeof(ushort);
        request->EfiInfoVendorRevision = firmware->FirmwareRevision;
        for (uint index = 0; index < room && index <= (uint)firmware->VendorLength; index++)
        {
            ushort character = index < (uint)firmware->VendorLength ? firmware->Vendor[index] : (ushort)0;
            if (!GuestMemory.WriteElement(request->EfiInfoVendorName, index, &character))
            {
                return Errno.Fault;
            }
        }

        return Errno.Ok;
    }

    /// <summary>Type and attributes at an address, and how much of the size asked for has them.</summary>
    private static Errno DescribeMemory(EfiFirmware* firmware, PlatformFirmwareInfo* request)
    {
        ulong address = request->EfiInfoMemAddr;
        if (!firmware->TryFind(address, out EfiMemoryRange range))
        {
            return Errno.Srch;
        }

        ulong left = range.End - address;
        request->EfiInfoMemSize = request->EfiInfoMemSize < left ? request->EfiInfoMemSize : left;
        request->EfiInfoMemAttr = range.Attributes;
        request->EfiInfoMemType = (uint)range.Type;
        return Errno.Ok;
    }
}
