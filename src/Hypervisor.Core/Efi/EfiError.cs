// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Efi;

/// <summary>Why EFI's tables cannot be used; <see cref="EfiErrors.Describe"/> says each in one clause.</summary>
public enum EfiError
{
    Ok = 0,
    NoSystemTable,
    SystemTableOutOfReach,
    NotASystemTable,
    ConfigurationOutOfReach,
    MemoryMapOutOfReach,
    MemoryMapWrong,
}

/// <summary>The words for each <see cref="EfiError"/>.</summary>
public static class EfiErrors
{
    /// <summary>One clause in ASCII, to stand after "EFI: ".</summary>
    public static ReadOnlySpan<byte> Describe(EfiError error) => error switch
    {
        EfiError.Ok => "no error"u8,
        EfiError.NoSystemTable => "the boot loader passed no 64-bit system table"u8,
        EfiError.SystemTableOutOfReach => "the system table lies outside reachable memory"u8,
        EfiError.NotASystemTable => "what the boot loader calls the system table is none"u8,
        EfiError.ConfigurationOutOfReach => "the configuration table lies outside reachable memory"u8,
        EfiError.MemoryMapOutOfReach => "the memory map lies outside reachable memory"u8,
        EfiError.MemoryMapWrong => "the memory map is malformed"u8,
        _ => "unknown error"u8,
    };
}
