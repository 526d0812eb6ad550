// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Efi;

namespace Hypervisor.X64.Boot;

/// <summary>What the stages of the boot learn and hand on; zero until the stage that fills it has run.</summary>
public static unsafe class BootData
{
    /// <summary>Up to here the machine is a PC: the text screen, option ROMs, the page that other CPUs start at.</summary>
    public const ulong LowMemoryEnd = 1UL << 20;

    private static BootInformation s_information;
    private static BootOptions s_options;
    private static AcpiInformation s_acpi;
    private static EfiFirmware s_efi;
    private static MemoryMap s_host;
    private static MemoryMap s_free;

    /// <summary>What the loader passed.</summary>
    public static BootInformation* Information
    {
        get
        {
            // Statics do not move.
            fixed (BootInformation* information = &s_information)
            {
                return information;
            }
        }
    }

    /// <summary>What the command line asks for.</summary>
    public static BootOptions* Options
    {
        get
        {
            fixed (BootOptions* options = &s_options)
            {
                return options;
            }
        }
    }

    /// <summary>What the firmware's tables say.</summary>
    public static AcpiInformation* Acpi
    {
        get
        {
            fixed (AcpiInformation* acpi = &s_acpi)
            {
                return acpi;
            }
        }
    }

    /// <summary>What EFI's tables say.</summary>
    public static EfiFirmware* Efi
    {
        get
        {
            fixed (EfiFirmware* efi = &s_efi)
            {
                return efi;
            }
        }
    }

    /// <summary>The machine's memory, in order.</summary>
    public static MemoryMap* Host
    {
        get
        {
            fixed (MemoryMap* host = &s_host)
            {
                return host;
            }
        }
    }

    /// <summary>Of that, RAM in which neither the image nor anything from the loader lies.</summary>
    public static MemoryMap* Free
    {
        get
        {
            fixed (MemoryMap* free = &s_free)
            {
                return free;
            }
        }
    }
}
