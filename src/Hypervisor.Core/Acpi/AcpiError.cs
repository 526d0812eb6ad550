// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Acpi;

/// <summary>Why the firmware's tables cannot be used; <see cref="AcpiErrors.Describe"/> says each in one
/// clause.</summary>
public enum AcpiError
{
    Ok = 0,
    NoRootPointer,
    RootTableUnusable,
    NoMadt,
    NoLocalApic,
    NoIoApic,
}

/// <summary>The words for each <see cref="AcpiError"/>.</summary>
public static class AcpiErrors
{
    /// <summary>One clause in ASCII, to stand after "ACPI: ".</summary>
    public static ReadOnlySpan<byte> Describe(AcpiError error) => error switch
    {
        AcpiError.Ok => "no error"u8,
        AcpiError.NoRootPointer => "no root pointer (RSDP) is to be found"u8,
        AcpiError.RootTableUnusable => "neither RSDT nor XSDT is usable"u8,
        AcpiError.NoMadt => "no usable table of interrupt controllers (MADT)"u8,
        AcpiError.NoLocalApic => "the MADT names no usable CPU"u8,
        AcpiError.NoIoApic => "the MADT names no I/O APIC"u8,
        _ => "unknown error"u8,
    };
}
