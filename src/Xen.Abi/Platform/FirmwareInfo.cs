// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xenpf_firmware_info</c>: what the firmware said before the hypervisor took over.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x28)]
public struct PlatformFirmwareInfo
{
    /// <summary><c>type</c>: <see cref="FirmwareInfoType"/>.</summary>
    [FieldOffset(0x0)]
    public uint Type;

    /// <summary><c>index</c>: which of them; for EFI <see cref="EfiInfoIndex"/>.</summary>
    [FieldOffset(0x4)]
    public uint Index;

    /// <summary><c>u.disk_info.device</c>.</summary>
    [FieldOffset(0x8)]
    public byte DiskInfoDevice;

    /// <summary><c>u.disk_info.version</c>.</summary>
    [FieldOffset(0x9)]
    public byte DiskInfoVersion;

    /// <summary><c>u.disk_info.interface_support</c>.</summary>
    [FieldOffset(0xa)]
    public ushort DiskInfoInterfaceSupport;

    /// <summary><c>u.disk_info.legacy_max_cylinder</c>.</summary>
    [FieldOffset(0xc)]
    public ushort DiskInfoLegacyMaxCylinder;

    /// <summary><c>u.disk_info.legacy_max_head</c>.</summary>
    [FieldOffset(0xe)]
    public byte DiskInfoLegacyMaxHead;

    /// <summary><c>u.disk_info.legacy_sectors_per_track</c>.</summary>
    [FieldOffset(0xf)]
    public byte DiskInfoLegacySectorsPerTrack;

    /// <summary><c>u.disk_info.edd_params</c>: guest address; the first word of the buffer is its size.</summary>
    [FieldOffset(0x10)]
    public ulong DiskInfoEddParams;

    /// <summary><c>u.disk_mbr_signature.device</c>.</summary>
    [FieldOffset(0x8)]
    public byte DiskMbrSignatureDevice;

    /// <summary><c>u.disk_mbr_signature.mbr_signature</c>.</summary>
    [FieldOffset(0xc)]
    public uint DiskMbrSignatureMbrSignature;

    /// <summary><c>u.vbeddc_info.capabilities</c>.</summary>
    [FieldOffset(0x8)]
    public byte VbeDdcInfoCapabilities;

    /// <summary><c>u.vbeddc_info.edid_transfer_time</c>.</summary>
    [FieldOffset(0x9)]
    public byte VbeDdcInfoEdidTransferTime;

    /// <summary><c>u.vbeddc_info.edid</c>: guest address of 128 bytes.</summary>
    [FieldOffset(0x10)]
    public ulong VbeDdcInfoEdid;

    /// <summary><c>u.efi_info.version</c>.</summary>
    [FieldOffset(0x8)]
    public uint EfiInfoVersion;

    /// <summary><c>u.efi_info.cfg.addr</c>.</summary>
    [FieldOffset(0x8)]
    public ulong EfiInfoCfgAddr;

    /// <summary><c>u.efi_info.cfg.nent</c>.</summary>
    [FieldOffset(0x10)]
    public uint EfiInfoCfgNent;

    /// <summary><c>u.efi_info.vendor.revision</c>.</summary>
    [FieldOffset(0x8)]
    public uint EfiInfoVendorRevision;

    /// <summary><c>u.efi_info.vendor.bufsz</c>.</summary>
    [FieldOffset(0xc)]
    public uint EfiInfoVendorBufSz;

    /// <summary><c>u.efi_info.vendor.name</c>.</summary>
    [FieldOffset(0x10)]
    public ulong EfiInfoVendorName;

    /// <summary><c>u.efi_info.mem.addr</c>.</summary>
    [FieldOffset(0x8)]
    public ulong EfiInfoMemAddr;

    /// <summary><c>u.efi_info.mem.size</c>.</summary>
    [FieldOffset(0x10)]
    public ulong EfiInfoMemSize;

    /// <summary><c>u.efi_info.mem.attr</c>.</summary>
    [FieldOffset(0x18)]
    public ulong EfiInfoMemAttr;

    /// <summary><c>u.efi_info.mem.type</c>.</summary>
    [FieldOffset(0x20)]
    public uint EfiInfoMemType;

    /// <summary><c>u.efi_info.pci_rom.segment</c>.</summary>
    [FieldOffset(0x8)]
    public ushort EfiInfoPciRomSegment;

    /// <summary><c>u.efi_info.pci_rom.bus</c>.</summary>
    [FieldOffset(0xa)]
    public byte EfiInfoPciRomBus;

    /// <summary><c>u.efi_info.pci_rom.devfn</c>.</summary>
    [FieldOffset(0xb)]
    public byte EfiInfoPciRomDevFn;

    /// <summary><c>u.efi_info.pci_rom.vendor</c>.</summary>
    [FieldOffset(0xc)]
    public ushort EfiInfoPciRomVendor;

    /// <summary><c>u.efi_info.pci_rom.devid</c>.</summary>
    [FieldOffset(0xe)]
    public ushort EfiInfoPciRomDevid;

    /// <summary><c>u.efi_info.pci_rom.address</c>.</summary>
    [FieldOffset(0x10)]
    public ulong EfiInfoPciRomAddress;

    /// <summary><c>u.efi_info.pci_rom.size</c>.</summary>
    [FieldOffset(0x18)]
    public ulong EfiInfoPciRomSize;

    /// <summary><c>u.efi_info.apple_properties.address</c>.</summary>
    [FieldOffset(0x8)]
    public ulong EfiInfoApplePropertiesAddress;

    /// <summary><c>u.efi_info.apple_properties.size</c>.</summary>
    [FieldOffset(0x10)]
    public ulong EfiInfoApplePropertiesSize;

    /// <summary><c>u.kbd_shift_flags</c>.</summary>
    [FieldOffset(0x8)]
    public byte KbdShiftFlags;
}

/// <summary><c>struct xenpf_efi_time</c>: EFI_TIME.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformEfiTime
{
    /// <summary><c>year</c>.</summary>
    public ushort Year;

    /// <summary><c>month</c>.</summary>
    public byte Month;

    /// <summary><c>day</c>.</summary>
    public byte Day;

    /// <summary><c>hour</c>.</summary>
    public byte Hour;

    /// <summary><c>min</c>.</summary>
    public byte Min;

    /// <summary><c>sec</c>.</summary>
    public byte Sec;

    /// <summary><c>ns</c>.</summary>
    public uint Ns;

    /// <summary><c>tz</c>.</summary>
    public short Tz;

    /// <summary><c>daylight</c>.</summary>
    public byte Daylight;
}

/// <summary><c>struct xenpf_efi_guid</c>: EFI_GUID.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PlatformEfiGuid
{
    /// <summary><c>data1</c>.</summary>
    public uint Data1;

    /// <summary><c>data2</c>.</summary>
    public ushort Data2;

    /// <summary><c>data3</c>.</summary>
    public ushort Data3;

    /// <summary><c>data4</c>.</summary>
    public fixed byte Data4[8];
}

/// <summary><c>struct xenpf_efi_runtime_call</c>: argument of efi_runtime_call.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x38)]
public struct PlatformEfiRuntimeCall
{
    /// <summary><c>function</c>: <see cref="EfiRuntimeFunction"/>.</summary>
    [FieldOffset(0x0)]
    public uint Function;

    /// <summary><c>misc</c>: <see cref="EfiRuntimeFlags"/>, or the count.</summary>
    [FieldOffset(0x4)]
    public uint Misc;

    /// <summary><c>status</c>: EFI status.</summary>
    [FieldOffset(0x8)]
    public ulong Status;

    /// <summary><c>u.get_time.time</c>.</summary>
    [FieldOffset(0x10)]
    public PlatformEfiTime GetTimeTime;

    /// <summary><c>u.get_time.resolution</c>.</summary>
    [FieldOffset(0x20)]
    public uint GetTimeResolution;

    /// <summary><c>u.get_time.accuracy</c>.</summary>
    [FieldOffset(0x24)]
    public uint GetTimeAccuracy;

    /// <summary><c>u.set_time</c>.</summary>
    [FieldOffset(0x10)]
    public PlatformEfiTime SetTime;

    /// <summary><c>u.get_wakeup_time</c>.</summary>
    [FieldOffset(0x10)]
    public PlatformEfiTime GetWakeupTime;

    /// <summary><c>u.set_wakeup_time</c>.</summary>
    [FieldOffset(0x10)]
    public PlatformEfiTime SetWakeupTime;

    /// <summary><c>u.get_variable.name</c>.</summary>
    [FieldOffset(0x10)]
    public ulong GetVariableName;

    /// <summary><c>u.get_variable.size</c>.</summary>
    [FieldOffset(0x18)]
    public ulong GetVariableSize;

    /// <summary><c>u.get_variable.data</c>.</summary>
    [FieldOffset(0x20)]
    public ulong GetVariableData;

    /// <summary><c>u.get_variable.vendor_guid</c>.</summary>
    [FieldOffset(0x28)]
    public PlatformEfiGuid GetVariableVendorGuid;

    /// <summary><c>u.set_variable.name</c>.</summary>
    [FieldOffset(0x10)]
    public ulong SetVariableName;

    /// <summary><c>u.set_variable.size</c>.</summary>
    [FieldOffset(0x18)]
    public ulong SetVariableSize;

    /// <summary><c>u.set_variable.data</c>.</summary>
    [FieldOffset(0x20)]
    public ulong SetVariableData;

    /// <summary><c>u.set_variable.vendor_guid</c>.</summary>
    [FieldOffset(0x28)]
    public PlatformEfiGuid SetVariableVendorGuid;

    /// <summary><c>u.get_next_variable_name.size</c>.</summary>
    [FieldOffset(0x10)]
    public ulong GetNextVariableNameSize;

    /// <summary><c>u.get_next_variable_name.name</c>.</summary>
    [FieldOffset(0x18)]
    public ulong GetNextVariableNameName;

    /// <summary><c>u.get_next_variable_name.vendor_guid</c>.</summary>
    [FieldOffset(0x20)]
    public PlatformEfiGuid GetNextVariableNameVendorGuid;

    /// <summary><c>u.query_variable_info.attr</c>.</summary>
    [FieldOffset(0x10)]
    public uint QueryVariableInfoAttr;

    /// <summary><c>u.query_variable_info.max_store_size</c>.</summary>
    [FieldOffset(0x18)]
    public ulong QueryVariableInfoMaxStoreSize;

    /// <summary><c>u.query_variable_info.remain_store_size</c>.</summary>
    [FieldOffset(0x20)]
    public ulong QueryVariableInfoRemainStoreSize;

    /// <summary><c>u.query_variable_info.max_size</c>.</summary>
    [FieldOffset(0x28)]
    public ulong QueryVariableInfoMaxSize;

    /// <summary><c>u.query_capsule_capabilities.capsule_header_array</c>.</summary>
    [FieldOffset(0x10)]
    public ulong QueryCapsuleCapabilitiesCapsuleHeaderArray;

    /// <summary><c>u.query_capsule_capabilities.capsule_count</c>.</summary>
    [FieldOffset(0x18)]
    public ulong QueryCapsuleCapabilitiesCapsuleCount;

    /// <summary><c>u.query_capsule_capabilities.max_capsule_size</c>.</summary>
    [FieldOffset(0x20)]
    public ulong QueryCapsuleCapabilitiesMaxCapsuleSize;

    /// <summary><c>u.query_capsule_capabilities.reset_type</c>.</summary>
    [FieldOffset(0x28)]
    public uint QueryCapsuleCapabilitiesResetType;

    /// <summary><c>u.update_capsule.capsule_header_array</c>.</summary>
    [FieldOffset(0x10)]
    public ulong UpdateCapsuleCapsuleHeaderArray;

    /// <summary><c>u.update_capsule.capsule_count</c>.</summary>
    [FieldOffset(0x18)]
    public ulong UpdateCapsuleCapsuleCount;

    /// <summary><c>u.update_capsule.sg_list</c>.</summary>
    [FieldOffset(0x20)]
    public ulong UpdateCapsuleSgList;
}
