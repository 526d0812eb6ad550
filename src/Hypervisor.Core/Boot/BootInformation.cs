// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Boot;

/// <summary>Everything the loader said, in one place and independent of the loader's own memory.</summary>
/// <remarks>
/// Texts are copied into the structure and point into it: it lives where it was filled and is never copied. Modules and
/// the EFI map stay where the loader put them; <see cref="BootModule.Start"/> and <see cref="EfiMapAddress"/> are
/// physical.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct BootInformation
{
    public const int MaxModules = 16;
    public const int MaxRsdp = 64;
    private const int TextCapacity = 16 * 1024;
    private const int WordsPerModule = 4;

    public BootText CommandLine;
    public BootText LoaderName;

    /// <summary>As the firmware states it, not normalised.</summary>
    public MemoryMap MemoryMap;

    public Framebuffer Framebuffer;

    /// <summary>1 or 2.</summary>
    public byte MultibootVersion;

    public int ModuleCount;

    /// <summary>KiB below 640 KiB and from 1 MiB on, as BIOS counts them; 0 when not stated.</summary>
    public uint LowerMemoryKib;
    public uint UpperMemoryKib;

    /// <summary>Bytes in <see cref="Rsdp"/>: 20 (ACPI 1.0) or more, 0 where the loader passed none.</summary>
    public int RsdpLength;
    public fixed byte Rsdp[MaxRsdp];

    /// <summary>Physical addresses of EFI's tables, or 0.</summary>
    public ulong EfiSystemTable64;
    public ulong EfiSystemTable32;

    /// <summary>EFI firmware started the loader.</summary>
    public readonly bool IsEfi => EfiSystemTable64 != 0 || EfiSystemTable32 != 0;

    /// <summary>The loader left EFI's boot services running.</summary>
    public bool EfiBootServicesRunning;

    /// <summary>EFI's memory map in place: physical address, bytes, bytes of a descriptor, version; address 0 is
    /// none.</summary>
    public ulong EfiMapAddress;
    public uint EfiMapLength;
    public uint EfiDescriptorSize;
    public uint EfiDescriptorVersion;

    /// <summary>Where the loader put the image if it was allowed to relocate it; 0 when not stated.</summary>
    public ulong LoadBase;

    /// <summary>The loader's information itself, so that nothing overwrites it while it is read.</summary>
    public ulong InformationStart;
    public ulong InformationEnd;

    private fixed ulong _modules[MaxModules * WordsPerModule];
    private fixed byte _texts[TextCapacity];
    private int _textsUsed;

    /// <summary>Module <paramref name="index"/>, below <see cref="ModuleCount"/>.</summary>
    public readonly BootModule Module(int index)
    {
        Check.That((uint)index < (uint)ModuleCount, "module number"u8);
        fixed (ulong* words = _modules)
        {
            return ((BootModule*)words)[index];
        }
    }

    internal void SetCommandLine(int module, BootText text)
    {
        Check.That((uint)module < (uint)ModuleCount, "module number"u8);
        fixed (ulong* words = _modules)
        {
            ((BootModule*)words)[module].CommandLine = text;
        }
    }

    internal BootError AddModule(BootModule module)
    {
        if (ModuleCount == MaxModules)
        {
            return BootError.TooManyModules;
        }

        // Each module's memory is given back by itself.
        for (int index = 0; index < ModuleCount; index++)
        {
            BootModule other = Module(index);
            if (module.Start < other.End && other.Start < module.End)
            {
                return BootError.ModulesOverlap;
            }
        }

        fixed (ulong* words = _modules)
        {
            ((BootModule*)words)[ModuleCount++] = module;
        }

        return BootError.Ok;
    }

    /// <summary>Copies a string that ends within <paramref name="bound"/> bytes.</summary>
    internal BootError KeepText(byte* text, ulong bound, out BootText kept)
    {
        kept = default;
        int room = TextCapacity - _textsUsed;
        fixed (byte* texts = _texts)
        {
            byte* target = texts + _textsUsed;
            for (int i = 0; ; i++)
            {
                if ((ulong)i >= bound)
                {
                    return BootError.CommandLineNotTerminated;
                }

                if (text[i] == 0)
                {
                    kept = new BootText(target, i);
                    _textsUsed += i;
                    return BootError.Ok;
                }

                if (i >= room)
                {
                    return BootError.TextsTooLong;
                }

                target[i] = text[i];
            }
        }
    }
}
