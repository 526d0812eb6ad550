// SPDX-License-Identifier: MIT

using System;
using Xen.Abi;
using Xen.Images;

namespace Hypervisor.Core.Dom0;

/// <summary>What the first domain is built from; addresses are direct-map pointers.</summary>
public unsafe struct Dom0Image
{
    public byte* Kernel;
    public nuint KernelLength;

    /// <summary>Initial RAM disk, or null.</summary>
    public byte* Ramdisk;
    public nuint RamdiskLength;

    /// <summary>Command line, without a terminator.</summary>
    public byte* CommandLine;
    public int CommandLineLength;

    /// <summary>The screen that a Domain-0 takes over, where there is one.</summary>
    public Dom0VgaConsoleInfo Screen;
    public bool HasScreen;

    /// <summary>Pages that the domain gets.</summary>
    public ulong Pages;
    public uint Vcpus;

    /// <summary>A micro guest: no privilege, no hardware.</summary>
    public bool IsUnprivileged;
}

/// <summary>Why a first domain cannot be built.</summary>
public enum Dom0Error
{
    Ok,

    /// <summary>The kernel file itself; <c>ImageError</c> says what.</summary>
    Image,
    NoRoomToUnpack,
    NotForDom0,
    KernelTooLarge,
    CommandLineTooLong,
    MemoryTooSmall,
    OutOfMemory,
    TablesRefused,
    ContextRefused,
}

/// <summary>Words for <see cref="Dom0Error"/>.</summary>
public static class Dom0Errors
{
    public static ReadOnlySpan<byte> Describe(Dom0Error error) => error switch
    {
        Dom0Error.NoRoomToUnpack => "there is not enough contiguous memory to unpack the kernel"u8,
        Dom0Error.NotForDom0 => "the kernel was not built to run as Domain-0 (its Xen notes lack the dom0 feature)"u8,
        Dom0Error.KernelTooLarge => "the kernel's image does not fit the part of the address space it asks for"u8,
        Dom0Error.CommandLineTooLong => "the kernel command line is longer than 1023 bytes"u8,
        Dom0Error.MemoryTooSmall => "dom0_mem is too small for the kernel, its RAM disk and its tables"u8,
        Dom0Error.OutOfMemory => "the machine has less free memory than dom0_mem asks for"u8,
        Dom0Error.TablesRefused => "the initial page tables did not pass the hypervisor's own check"u8,
        Dom0Error.ContextRefused => "the initial register state was refused (does the kernel name a valid entry point?)"u8,
        _ => "the kernel image is unusable"u8,
    };
}
