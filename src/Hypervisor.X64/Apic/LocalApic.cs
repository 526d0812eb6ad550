// SPDX-License-Identifier: MIT
// The local APIC of the CPU that runs the code (Intel SDM Vol. 3A ch. 11, AMD APM Vol. 2 ch. 16). ApicModes says in which
// mode, ApicRegisters how registers are reached in it. Destinations are physical throughout.
//
// The timer serves one deadline at a time, given in TSC ticks (ApicTimer): as such where the processor takes a deadline,
// otherwise as a count at the timer's own rate, which is measured against the TSC once.
//
// Locking: none; a CPU touches its own APIC with interrupts off.

using System.Runtime;
using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Apic;

namespace Hypervisor.X64.Apic;

/// <summary>The running CPU's interrupt controller.</summary>
public static unsafe class LocalApic
{
    public const ulong UsualAddress = 0xFEE0_0000;

    private const ulong BaseEnable = 1 << 11;
    private const ulong BaseX2Mode = 1 << 10;
    private const ulong BaseAddressMask = 0x000F_FFFF_FFFF_F000;
    private const uint SoftwareEnable = 1 << 8;
    private const uint Masked = 1 << 16;
    private const uint TimerDeadline = 2 << 17;
    private const uint DivideBy1 = 0xB;
    private const uint DeliveryNmi = 4 << 8;
    private const uint DeliveryInit = 5 << 8;
    private const uint DeliveryStartup = 6 << 8;
    private const uint LevelAssert = 1 << 14;
    private const uint LevelTriggered = 1 << 15;
    private const uint ActiveLow = 1 << 13;
    private const uint AllButSelf = 3 << 18;
    private const uint CpuidHasApic = 1 << 9;
    private const uint CpuidHasX2Mode = 1 << 21;
    private const uint CpuidHasDeadline = 1 << 24;

    private const int CalibrationRounds = 5;

    private static bool s_hasDeadline;

    /// <summary>Timer ticks for each TSC tick, times 2³².</summary>
    private static ulong s_timerPerTsc;

    public static bool IsX2Mode => ApicRegisters.IsX2Mode;

    public static bool HasDeadlineTimer => s_hasDeadline;

    /// <summary>Why the mode is what it is, for the boot log.</summary>
    public static ApicModeReason ModeReason { get; private set; }

    /// <summary>Where the registers are in physical memory; guests must not map it.</summary>
    public static ulong PhysicalAddress { get; private set; }

    /// <summary>This CPU's number on the bus.</summary>
    public static uint Id => ApicRegisters.Id;

    /// <summary>Finds the registers and decides on the mode. Once, on the first CPU; false where the processor has no local
    /// APIC.</summary>
    /// <param name="acpi">Lists the CPUs.</param>
    /// <param name="mayUseX2">The command line allows x2APIC mode.</param>
    public static bool TryInitialise(AcpiInformation* acpi, bool mayUseX2)
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(1, 0, registers);
        if ((registers[3] & CpuidHasApic) == 0)
        {
            return false;
        }

        s_hasDeadline = (registers[2] & CpuidHasDeadline) != 0;
        ulong apicBase = Machine.ReadMsr(Msr.ApicBase);
        ModeReason = ApicModes.Choose(
            isOn: (apicBase & (BaseEnable | BaseX2Mode)) == (BaseEnable | BaseX2Mode),
            hasX2: (registers[2] & CpuidHasX2Mode) != 0,
            mayUseX2,
            ApicModes.HighestId(acpi));
        ulong address = apicBase & BaseAddressMask;
        PhysicalAddress = address == 0 ? UsualAddress : address;
        if (ApicModes.IsX2(ModeReason))
        {
            ApicRegisters.UseMsrs();
        }
        else
        {
            ApicRegisters.UseMemory(DeviceMemory.Map(PhysicalAddress, MemoryLayout.PageSize));
        }

        return true;
    }

    /// <summary>Brings this CPU's APIC into the state that the hypervisor wants, whatever firmware or reset
    /// left.</summary>
    /// <param name="acpi">Says on which pin NMI arrives; may be null.</param>
    /// <param name="processorId">This CPU's number in the MADT.</param>
    public static void EnableOnThisCpu(AcpiInformation* acpi, uint processorId)
    {
        ulong mode = IsX2Mode ? BaseEnable | BaseX2Mode : BaseEnable;
        ulong apicBase = Machine.ReadMsr(Msr.ApicBase);
        if ((apicBase & (BaseEnable | BaseX2Mode)) != mode)
        {
            // x2APIC mode is entered from xAPIC mode only.
            Machine.WriteMsr(Msr.ApicBase, apicBase | BaseEnable);
            Machine.WriteMsr(Msr.ApicBase, apicBase | mode);
        }

        if (!IsX2Mode)
        {
            Write(LocalApicRegister.DestinationFormat, 0xFFFF_FFFF);
        }

        Write(LocalApicRegister.TaskPriority, 0);
        Write(LocalApicRegister.SpuriousVector, SoftwareEnable | Vector.Spurious);
        Write(LocalApicRegister.LocalTimer, Masked);
        uint entries = (Read(LocalApicRegister.Version) >> 16 & 0xFF) + 1;
        if (entries > 4)
        {
            Write(LocalApicRegister.LocalPerformance, Masked);
        }

        if (entries > 5)
        {
            Write(LocalApicRegister.LocalThermal, Masked);
        }

        Write(LocalApicRegister.LocalInterrupt0, PinOf(acpi, processorId, 0));
        Write(LocalApicRegister.LocalInterrupt1, PinOf(acpi, processorId, 1));
        Write(LocalApicRegister.LocalError, Vector.Error);
        _ = ReadErrors();
        AcknowledgeLeftovers();
        SetUpTimer();
    }

    /// <summary>Ends the interrupt in service with the highest priority.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    [RuntimeExport("apic_end_of_interrupt")]
    public static void EndOfInterrupt() => Write(LocalApicRegister.EndOfInterrupt, 0);

    /// <summary>True while this CPU has taken <paramref name="vector"/> and not ended it: what tells a real interrupt
    /// from a spurious one.</summary>
    public static bool IsInService(int vector)
    {
        uint offset = (uint)LocalApicRegister.InService + ((uint)vector >> 5 << 4);
        return (Read((LocalApicRegister)offset) >> (vector & 31) & 1) != 0;
    }

    /// <summary>Reads and clears the error bits, for the error vector.</summary>
    public static uint ReadErrors()
    {
        Write(LocalApicRegister.ErrorStatus, 0);
        return Read(LocalApicRegister.ErrorStatus);
    }

    public static void SendInterrupt(uint apicId, int vector) => Command(apicId, LevelAssert | (uint)vector);

    public static void SendNmi(uint apicId) => Command(apicId, LevelAssert | DeliveryNmi);

    /// <summary>To all others at once, in whatever state they are: the machine stops.</summary>
    public static void SendNmiToOthers() => Command(0, AllButSelf | LevelAssert | DeliveryNmi);

    public static void SendInit(uint apicId) => Command(apicId, LevelTriggered | LevelAssert | DeliveryInit);

    /// <summary>Ends the INIT of processors older than the Pentium 4; later ones ignore it.</summary>
    public static void SendInitDeassert(uint apicId) => Command(apicId, LevelTriggered | DeliveryInit);

    /// <summary>Starts a waiting CPU in real mode at <paramref name="address"/>: a page below 1 MiB.</summary>
    // Not inlined: where it begins is a place in the image, which the test of processors that do not react changes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void SendStartup(uint apicId, uint address) =>
        Command(apicId, LevelAssert | DeliveryStartup | (address >> MemoryLayout.PageShift & 0xFF));

    /// <summary>Measures the timer's rate against the TSC. Once, on the first CPU, after
    /// <see cref="EnableOnThisCpu"/>.</summary>
    /// <param name="tscHertz">The TSC's rate.</param>
    /// <returns>False where the timer does not count.</returns>
    public static bool TryCalibrateTimer(ulong tscHertz)
    {
        if (s_hasDeadline)
        {
            return true;
        }

        // Disturbances (SMM, the host of a virtual machine) only ever make a reading come late, in either direction of
        // the quotient: the median of a few rounds is out of their reach.
        ulong* ratios = stackalloc ulong[CalibrationRounds];
        for (int round = 0; round < CalibrationRounds; round++)
        {
            ulong ratio = MeasureRatio(tscHertz / 200);
            int place = round;
            for (; place > 0 && ratios[place - 1] > ratio; place--)
            {
                ratios[place] = ratios[place - 1];
            }

            ratios[place] = ratio;
        }

        s_timerPerTsc = ratios[CalibrationRounds / 2];
        return s_timerPerTsc != 0;
    }

    /// <summary>The timer's rate, for the boot log; 0 where deadlines are used.</summary>
    public static ulong TimerHertz(ulong tscHertz) =>
        s_hasDeadline ? 0 : Machine.MultiplyShift32(tscHertz, s_timerPerTsc);

    /// <summary>See <see cref="Machine.ArmTimer"/>.</summary>
    [RuntimeExport("machine_arm_timer")]
    public static void ArmTimer(ulong tsc)
    {
        if (s_hasDeadline)
        {
            Machine.WriteMsr(Msr.TscDeadline, tsc);
            return;
        }

        Write(LocalApicRegister.TimerInitialCount, ApicTimer.CountUntil(tsc, Machine.ReadTsc(), s_timerPerTsc));
    }

    private static uint PinOf(AcpiInformation* acpi, uint processorId, uint pin)
    {
        if (acpi == null)
        {
            return pin == 1 ? DeliveryNmi : Masked;
        }

        for (int i = 0; i < acpi->NmiCount; i++)
        {
            AcpiNmi nmi = acpi->Nmi(i);
            if (nmi.IsLocal && nmi.Line == pin
                && (nmi.ProcessorId == AcpiNmi.AllProcessors || nmi.ProcessorId == processorId))
            {
                return DeliveryNmi | (nmi.Mode.IsActiveLow ? ActiveLow : 0);
            }
        }

        return Masked;
    }

    /// <summary>A crashed predecessor may have left interrupts in service, which would block all of lower
    /// priority.</summary>
    private static void AcknowledgeLeftovers()
    {
        for (int turn = 0; turn < 256; turn++)
        {
            uint any = 0;
            for (uint word = 0; word < 8; word++)
            {
                any |= Read((LocalApicRegister)((uint)LocalApicRegister.InService + (word << 4)));
            }

            if (any == 0)
            {
                return;
            }

            EndOfInterrupt();
        }
    }

    private static void SetUpTimer()
    {
        Write(LocalApicRegister.TimerDivide, DivideBy1);
        Write(LocalApicRegister.TimerInitialCount, 0);
        Write(LocalApicRegister.LocalTimer, Vector.Timer | (s_hasDeadline ? TimerDeadline : 0));

        // In xAPIC mode the write above is a store that an MSR write could overtake (SDM Vol. 3A §11.5.4.1).
        Interlocked.MemoryBarrier();
        if (s_hasDeadline)
        {
            Machine.WriteMsr(Msr.TscDeadline, 0);
        }
    }

    private static ulong MeasureRatio(ulong window)
    {
        // Masked: the interrupt of a timer that runs out must not arrive later.
        Write(LocalApicRegister.LocalTimer, Masked | Vector.Timer);
        Write(LocalApicRegister.TimerInitialCount, uint.MaxValue);
        ulong start = Machine.ReadTsc();
        uint first = Read(LocalApicRegister.TimerCurrentCount);
        while (Machine.ReadTsc() - start < window)
        {
            Machine.Pause();
        }

        ulong elapsed = Machine.ReadTsc() - start;
        uint counted = first - Read(LocalApicRegister.TimerCurrentCount);
        Write(LocalApicRegister.TimerInitialCount, 0);
        Write(LocalApicRegister.LocalTimer, Vector.Timer);
        return ApicTimer.Ratio(counted, elapsed);
    }

    private static void Command(uint apicId, uint command) => ApicRegisters.Command(apicId, command);

    private static uint Read(LocalApicRegister register) => ApicRegisters.Read(register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(LocalApicRegister register, uint value) => ApicRegisters.Write(register, value);
}
