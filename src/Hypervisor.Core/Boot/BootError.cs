// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Boot;

/// <summary>Why what the loader left in memory cannot be used; <see cref="BootErrors.Describe"/> says each in one
/// clause.</summary>
public enum BootError
{
    Ok = 0,
    NotMultiboot,
    InformationMisaligned,
    InformationOutOfReach,
    InformationSizeWrong,
    TagTooShort,
    TagBeyondEnd,
    EndTagMissing,
    CommandLineOutOfReach,
    CommandLineNotTerminated,
    LoaderNameOutOfReach,
    TextsTooLong,
    ModuleListOutOfReach,
    ModuleBackwards,
    ModuleOutOfReach,
    ModulesOverlap,
    TooManyModules,
    MemoryMapOutOfReach,
    MemoryMapEntrySizeWrong,
    MemoryMapTooLong,
    MemoryMapMissing,
    MemoryMapWithoutRam,
    MemoryMapTooFragmented,
    FramebufferWrong,
    EfiMapWrong,
}

/// <summary>The words for each <see cref="BootError"/>.</summary>
public static class BootErrors
{
    /// <summary>One clause in ASCII, to stand after "cannot boot: ".</summary>
    public static ReadOnlySpan<byte> Describe(BootError error) => error switch
    {
        BootError.Ok => "no error"u8,
        BootError.NotMultiboot => "the loader spoke neither multiboot 1 nor multiboot 2"u8,
        BootError.InformationMisaligned => "the multiboot information is misaligned"u8,
        BootError.InformationOutOfReach => "the multiboot information lies outside reachable memory"u8,
        BootError.InformationSizeWrong => "the multiboot information has an impossible size"u8,
        BootError.TagTooShort => "a multiboot tag is too short"u8,
        BootError.TagBeyondEnd => "a multiboot tag reaches beyond the end of the information"u8,
        BootError.EndTagMissing => "the multiboot information has no end tag"u8,
        BootError.CommandLineOutOfReach => "the command line lies outside reachable memory"u8,
        BootError.CommandLineNotTerminated => "a string from the loader has no end"u8,
        BootError.LoaderNameOutOfReach => "the loader's name lies outside reachable memory"u8,
        BootError.TextsTooLong => "the command lines are too long"u8,
        BootError.ModuleListOutOfReach => "the list of modules lies outside reachable memory"u8,
        BootError.ModuleBackwards => "a module ends before it begins"u8,
        BootError.ModuleOutOfReach => "a module lies outside reachable memory"u8,
        BootError.ModulesOverlap => "two modules lie in the same memory"u8,
        BootError.TooManyModules => "the loader passed more than 16 modules"u8,
        BootError.MemoryMapOutOfReach => "the memory map lies outside reachable memory"u8,
        BootError.MemoryMapEntrySizeWrong => "an entry of the memory map has an impossible size"u8,
        BootError.MemoryMapTooLong => "the memory map has more than 1024 entries"u8,
        BootError.MemoryMapMissing => "the loader passed no memory map"u8,
        BootError.MemoryMapWithoutRam => "the memory map names no usable memory"u8,
        BootError.MemoryMapTooFragmented => "the memory map is too fragmented"u8,
        BootError.FramebufferWrong => "the description of the framebuffer is malformed"u8,
        BootError.EfiMapWrong => "the EFI memory map is malformed"u8,
        _ => "unknown error"u8,
    };
}
