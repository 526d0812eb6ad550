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

    private static Stages s_stages;

    /// <summary>What the loader passed.</summary>
    public static BootInformation* Information => &All->Information;

    /// <summary>What the command line asks for.</summary>
    public static BootOptions* Options => &All->Options;

    /// <summary>What the firmware's tables say.</summary>
    public static AcpiInformation* Acpi => &All->Acpi;

    /// <summary>What EFI's tables say.</summary>
    public static EfiFirmware* Efi => &All->Efi;

    /// <summary>The machine's memory, in order.</summary>
    public static MemoryMap* Host => &All->Host;

    /// <summary>Of that, RAM in which neither the image nor anything from the loader lies.</summary>
    public static MemoryMap* Free => &All->Free;

    private static Stages* All
    {
        get
        {
            // Statics do not move.
            fixed (Stages* all = &s_stages)
            {
                return all;
            }
        }
    }

    private struct Stages
    {
        public BootInformation Information;
        public BootOptions Options;
        public AcpiInformation Acpi;
        public EfiFirmware Efi;
        public MemoryMap Host;
        public MemoryMap Free;
    }
}
