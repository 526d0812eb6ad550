// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Hypervisor.Core.Acpi;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Acpi;

public sealed unsafe class AcpiSleepTests
{
    [Fact]
    public void Sleep_type_goes_first_and_the_enable_bit_second()
    {
        FakeMachine machine = FakeMachine.Reset();
        AcpiInformation* acpi = (AcpiInformation*)NativeMemory.AllocZeroed((nuint)sizeof(AcpiInformation));
        AcpiTables.Current = acpi;

        Assert.Equal(Errno.NoDev, AcpiSleep.Enter(0x3C01, 0));
        acpi->Pm1aControlPort = 0x604;
        acpi->Pm1bControlPort = 0x704;
        Assert.Equal(Errno.Io, AcpiSleep.Enter(0xFFFF3C05, 0x1400));

        Assert.Equal(
            [new(0x604, 2, 0x1C01), new(0x704, 2, 0x1400), new(0x604, 2, 0x3C01), new(0x704, 2, 0x3400)],
            machine.PortWrites);

        machine.PortWrites.Clear();
        AcpiSleep.TryReset();
        Assert.Empty(machine.PortWrites);
        acpi->HasReset = true;
        acpi->ResetValue = 6;
        acpi->Reset = new() { Space = AcpiRegister.InPorts, Address = 0xCF9 };
        AcpiSleep.TryReset();
        acpi->Reset = new() { Space = AcpiRegister.InPciConfiguration, Address = 0x1F_0003_0052 };
        AcpiSleep.TryReset();
        Assert.Equal([new(0xCF9, 1, 6), new(0xCF8, 4, 0x8000FB50), new(0xCFE, 1, 6)], machine.PortWrites);
        AcpiTables.Current = null;
        NativeMemory.Free(acpi);
    }
}
