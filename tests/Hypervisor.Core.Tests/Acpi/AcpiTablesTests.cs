// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Acpi;
using Xunit;

namespace Hypervisor.Core.Tests.Acpi;

public sealed unsafe class AcpiTablesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_small_PC_is_read_by_XSDT_and_by_RSDT(bool isWide)
    {
        using AcpiFirmware firmware = new(isWide);

        Assert.Equal(AcpiError.Ok, firmware.Read());

        AcpiInformation* found = firmware.Information;
        Assert.Equal((ulong)AcpiFirmware.RootPointerAt, found->RootPointer);
        Assert.Equal(0, found->BadTables);
        Assert.False(found->IsMadtDamaged);
        Assert.Equal(0xFEE00000UL, found->LocalApicAddress);
        Assert.True(found->HasLegacyPics);
        Assert.Equal(3, found->CpuCount);
        Assert.Equal(1u, found->Cpu(1).ApicId);
        Assert.Equal(0x1234u, found->Cpu(2).ApicId);
        Assert.Equal(7u, found->Cpu(2).ProcessorId);
        Assert.Equal(1, found->IoApicCount);
        Assert.Equal(0xFEC00000UL, found->IoApic(0).Address);
        Assert.Equal(2, found->NmiCount);
        Assert.True(found->Nmi(0).IsLocal);
        Assert.Equal(AcpiNmi.AllProcessors, found->Nmi(0).ProcessorId);
        Assert.Equal(23u, found->Nmi(1).Line);
    }

    [Fact]
    public void Overrides_say_where_and_how_an_ISA_interrupt_arrives()
    {
        using AcpiFirmware firmware = new();
        Assert.Equal(AcpiError.Ok, firmware.Read());

        Assert.Equal(2u, firmware.Information->GsiOfIsa(0, out IrqMode timer));
        Assert.False(timer.IsLevel || timer.IsActiveLow);
        Assert.Equal(9u, firmware.Information->GsiOfIsa(9, out IrqMode sci));
        Assert.True(sci.IsLevel && !sci.IsActiveLow);
        Assert.Equal(11u, firmware.Information->GsiOfIsa(11, out IrqMode pci));
        Assert.True(pci.IsLevel && pci.IsActiveLow);
        Assert.Equal(4u, firmware.Information->GsiOfIsa(4, out IrqMode serial));
        Assert.False(serial.IsLevel || serial.IsActiveLow);
    }

    [Fact]
    public void Power_management_ports_timers_and_configuration_space_are_read()
    {
        using AcpiFirmware firmware = new();
        Assert.Equal(AcpiError.Ok, firmware.Read());

        AcpiInformation* found = firmware.Information;
        Assert.Equal(9, found->SciIrq);
        Assert.Equal(0x604, found->Pm1aControlPort);
        Assert.Equal(0, found->Pm1bControlPort);
        Assert.Equal(0x608, found->PmTimerPort);
        Assert.True(found->IsPmTimer32Bits);
        Assert.True(found->HasReset);
        Assert.Equal(0xCF9UL, found->Reset.Address);
        Assert.Equal(0x0F, found->ResetValue);
        Assert.Equal(0x7FE2000UL, found->Dsdt);
        Assert.Equal(0x7FE0000UL, found->Facs);
        Assert.Equal(0x32, found->CenturyIndex);
        Assert.Equal(0xFED00000UL, found->HpetAddress);
        Assert.Equal(1, found->ConfigSpaceCount);
        Assert.Equal(255, found->ConfigSpace(0).LastBus);
    }

    [Fact]
    public void The_loaders_copy_of_the_root_pointer_serves_without_the_original()
    {
        using AcpiFirmware firmware = new();
        byte* copy = stackalloc byte[36];
        Buffer.MemoryCopy(firmware.At(AcpiFirmware.RootPointerAt), copy, 36, 36);
        firmware.Write64(AcpiFirmware.RootPointerAt, 0);

        Assert.Equal(AcpiError.NoRootPointer, firmware.Read());
        Assert.Equal(AcpiError.Ok, firmware.Read(copy, 36));
        Assert.Equal(3, firmware.Information->CpuCount);
    }

    [Fact]
    public void The_root_pointer_in_the_extended_BIOS_data_area_comes_first()
    {
        using AcpiFirmware firmware = new();
        firmware.Write16(0x40E, 0x9FC0);
        firmware.WriteRootPointer(0x9FC40, true);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(0x9FC40UL, firmware.Information->RootPointer);
    }

    [Fact]
    public void A_root_pointer_with_a_wrong_sum_is_none()
    {
        using AcpiFirmware firmware = new();
        firmware.Write8(AcpiFirmware.RootPointerAt + 9, 1);

        Assert.Equal(AcpiError.NoRootPointer, firmware.Read());
    }

    [Theory]
    [InlineData(4, 35u)]
    [InlineData(4, 0x7FFFFFFFu)]
    [InlineData(4, 0xFFFFFFFFu)]
    [InlineData(0, 0x20202020u)]
    [InlineData(32, 5u)]
    public void A_mangled_root_table_is_refused(int offset, uint value)
    {
        using AcpiFirmware firmware = new();
        firmware.Write32(AcpiFirmware.RootTableAt + offset, value);

        Assert.Equal(AcpiError.RootTableUnusable, firmware.Read());
    }

    [Fact]
    public void A_table_with_a_wrong_sum_is_skipped_and_counted()
    {
        using AcpiFirmware firmware = new();
        firmware.Write8(AcpiFirmware.FadtAt + 46, 77);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(1, firmware.Information->BadTables);
        Assert.Equal(BitConverter.ToUInt32("FACP"u8), firmware.Information->LastBadSignature);
        Assert.False(firmware.Information->HasFadt);
    }

    [Fact]
    public void A_table_outside_memory_is_skipped()
    {
        using AcpiFirmware firmware = new();
        firmware.Write64(AcpiFirmware.RootTableAt + 36 + 24, 0xFFFF_FFFF_FFFF_FFF0);
        firmware.Seal(AcpiFirmware.RootTableAt);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(1, firmware.Information->BadTables);
        Assert.Equal(0, firmware.Information->ConfigSpaceCount);
    }

    [Theory]
    [InlineData((byte)0)]
    [InlineData((byte)1)]
    [InlineData((byte)200)]
    public void An_entry_that_does_not_fit_ends_the_MADT(byte length)
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [0, 8, 0, 0, 1, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0],
            [0, length, 1, 1, 1, 0, 0, 0]);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.True(firmware.Information->IsMadtDamaged);
        Assert.Equal(1, firmware.Information->CpuCount);
    }

    [Fact]
    public void An_entry_too_short_for_its_kind_is_passed_over()
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [2, 4, 0, 0],
            [0, 8, 0, 0, 1, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0]);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.True(firmware.Information->IsMadtDamaged);
        Assert.Equal(0, firmware.Information->OverrideCount);
    }

    [Fact]
    public void Doubles_and_nobodies_among_the_CPUs_are_left_out()
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [0, 8, 0, 5, 1, 0, 0, 0],
            [9, 16, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            [0, 8, 1, 0xFF, 1, 0, 0, 0],
            [0, 8, 2, 6, 2, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0]);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(2, firmware.Information->CpuCount);
        Assert.True(firmware.Information->Cpu(0).IsEnabled);
        Assert.True(firmware.Information->Cpu(1).IsOnlineCapable && !firmware.Information->Cpu(1).IsEnabled);
    }

    [Fact]
    public void A_machine_without_CPUs_or_controllers_is_refused()
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt([1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0]);
        Assert.Equal(AcpiError.NoLocalApic, firmware.Read());

        using AcpiFirmware second = new();
        second.WriteMadt([0, 8, 0, 0, 1, 0, 0, 0]);
        Assert.Equal(AcpiError.NoIoApic, second.Read());

        using AcpiFirmware third = new();
        third.WriteTable(AcpiFirmware.MadtAt, "XPIC", 44);
        third.Seal(AcpiFirmware.MadtAt);
        Assert.Equal(AcpiError.NoMadt, third.Read());
    }

    [Fact]
    public void The_address_override_wins()
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [5, 12, 0, 0, 0, 0, 0, 0xE0, 1, 0, 0, 0],
            [0, 8, 0, 0, 1, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0]);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(0x1_E000_0000UL, firmware.Information->LocalApicAddress);
    }

    [Fact]
    public void Extended_registers_outside_port_space_leave_the_old_ones()
    {
        using AcpiFirmware firmware = new();
        firmware.Write8(AcpiFirmware.FadtAt + 208, 0);
        firmware.Write64(AcpiFirmware.FadtAt + 212, 0xFED80808);
        firmware.Write8(AcpiFirmware.FadtAt + 172, 1);
        firmware.Write64(AcpiFirmware.FadtAt + 176, 0x404);
        firmware.Seal(AcpiFirmware.FadtAt);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(0x608, firmware.Information->PmTimerPort);
        Assert.Equal(0x404, firmware.Information->Pm1aControlPort);
    }

    [Fact]
    public void A_root_table_that_names_itself_and_others_again_and_again_is_read_once()
    {
        using AcpiFirmware firmware = new();
        const int Times = 300;
        for (int i = 0; i < Times; i++)
        {
            firmware.Write64(
                AcpiFirmware.RootTableAt + 36 + (8 * i), (ulong)(i % 2 == 0 ? AcpiFirmware.RootTableAt : AcpiFirmware.MadtAt));
        }

        firmware.Write32(AcpiFirmware.RootTableAt + 4, 36 + (8 * Times));
        firmware.Seal(AcpiFirmware.RootTableAt);

        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(3, firmware.Information->CpuCount);
        Assert.Equal(0, firmware.Information->BadTables);
    }

    [Fact]
    public void Without_a_MADT_the_rest_is_read()
    {
        using AcpiFirmware firmware = new();
        firmware.Write8(AcpiFirmware.MadtAt + 50, 1);

        Assert.Equal(AcpiError.NoMadt, firmware.Read());
        Assert.Equal(1, firmware.Information->BadTables);
        Assert.True(firmware.Information->HasFadt && firmware.Information->HasHpet);
    }

    [Fact]
    public void Random_damage_never_reads_outside_and_always_answers()
    {
        Random random = new(99);
        for (int round = 0; round < 4000; round++)
        {
            using AcpiFirmware firmware = new(round % 2 == 0);
            int[] tables = [AcpiFirmware.MadtAt, AcpiFirmware.FadtAt, AcpiFirmware.HpetAt, AcpiFirmware.McfgAt];
            int victim = tables[random.Next(tables.Length)];
            for (int i = 0; i < 4; i++)
            {
                firmware.Write8(victim + random.Next(4, 200), (byte)random.Next(256));
            }

            if (*(uint*)firmware.At(victim + 4) < 4096)
            {
                firmware.Seal(victim);
            }

            Assert.True(Enum.IsDefined(firmware.Read()));
        }
    }
}
