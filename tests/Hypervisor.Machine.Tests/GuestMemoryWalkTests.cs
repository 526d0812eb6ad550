// SPDX-License-Identifier: MIT

using Xen.Abi;
using Xunit;

namespace Hypervisor.Tests;

public unsafe class GuestMemoryWalkTests
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong Large = 0x80;
    private const ulong All = Present | Writable | User;

    private const ulong Root = 0x1000;
    private const ulong Address = 0xFFFF_FFFF_8012_3000;

    private readonly FakeMachine _machine = FakeMachine.Reset();

    [Fact]
    public void Without_tables_guests_see_physical_memory()
    {
        _machine.Memory[0x5678] = 42;
        byte value;
        Assert.Equal(0u, Machine.CopyFromGuest(&value, 0x5678, 1));
        Assert.Equal(42, value);
    }

    [Fact]
    public void Without_tables_nothing_lies_beyond_memory()
    {
        byte value;
        Assert.Equal(1u, Machine.CopyFromGuest(&value, _machine.MemorySize, 1));
    }

    [Fact]
    public void Words_are_copied_across_pages_that_are_not_neighbours()
    {
        Map(Address, 0x9000, All);
        Map(Address + 0x1000, 0x7000, All);
        ulong* words = stackalloc ulong[] { 0x1111, 0x2222 };
        Assert.True(Machine.WriteGuest16(Address + 0xFF8, words));
        Assert.Equal(0x1111UL, *(ulong*)(_machine.Memory + 0x9FF8));
        Assert.Equal(0x2222UL, *(ulong*)(_machine.Memory + 0x7000));

        ulong* back = stackalloc ulong[2];
        Assert.True(Machine.ReadGuest16(back, Address + 0xFF8));
        Assert.Equal(0x2222UL, back[1]);
    }

    [Fact]
    public void A_copy_stops_at_the_first_missing_page_and_says_what_remains()
    {
        Map(Address, 0x9000, All);
        byte* buffer = stackalloc byte[32];
        Assert.Equal(22u, Machine.CopyFromGuest(buffer, Address + 0xFF6, 32));
    }

    [Theory]
    [InlineData(All & ~Present, false, false)]
    [InlineData(All & ~User, false, false)]
    [InlineData(All & ~Writable, true, false)]
    [InlineData(All, true, true)]
    public void Rights_of_the_last_level_are_honoured(ulong flags, bool readable, bool writable)
    {
        Map(Address, 0x9000, flags);
        byte value = 1;
        Assert.Equal(readable, Machine.CopyFromGuest(&value, Address, 1) == 0);
        Assert.Equal(writable, Machine.CopyToGuest(Address, &value, 1) == 0);
    }

    [Fact]
    public void A_read_only_upper_level_forbids_writing()
    {
        Map(Address, 0x9000, All);
        *Entry(Address, 39) &= ~Writable;
        byte value = 1;
        Assert.Equal(0u, Machine.CopyFromGuest(&value, Address, 1));
        Assert.Equal(1u, Machine.CopyToGuest(Address, &value, 1));
    }

    [Fact]
    public void A_large_page_maps_all_of_its_bytes()
    {
        Map(Address, 0x9000, All);
        *Entry(Address, 21) = 0x20_0000 | All | Large;
        byte value = 7;
        Assert.Equal(0u, Machine.CopyToGuest(Address + 0x45, &value, 1));
        Assert.Equal(7, _machine.Memory[0x20_0000 + (Address & 0x1F_FFFF) + 0x45]);
    }

    [Fact]
    public void Reading_marks_accessed_and_writing_marks_dirty()
    {
        Map(Address, 0x9000, All);
        byte value;
        _ = Machine.CopyFromGuest(&value, Address, 1);
        Assert.Equal(0x20UL, *Entry(Address, 12) & 0x60);
        _ = Machine.CopyToGuest(Address, &value, 1);
        Assert.Equal(0x60UL, *Entry(Address, 12) & 0x60);
        Assert.Equal(0x20UL, *Entry(Address, 39) & 0x60);
    }

    [Fact]
    public void Addresses_that_are_not_canonical_fault()
    {
        Map(Address, 0x9000, All);
        byte value;
        Assert.Equal(1u, Machine.CopyFromGuest(&value, Address & 0x0000_FFFF_FFFF_FFFF, 1));
    }

    [Fact]
    public void Compare_exchange_reports_change_and_fault()
    {
        Map(Address, 0x9000, All);
        ulong expected = 5;
        Assert.Equal(1, Machine.CompareExchangeGuest(Address, &expected, 9));
        Assert.Equal(0UL, expected);
        Assert.Equal(0, Machine.CompareExchangeGuest(Address, &expected, 9));
        Assert.Equal(9UL, *(ulong*)(_machine.Memory + 0x9000));
        Assert.Equal(2, Machine.CompareExchangeGuest(Address + 0x1000, &expected, 9));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_bounce_frame_has_its_error_code_or_not(bool hasError)
    {
        CpuUserRegs frame = new() { Rcx = 1, R11 = 2, Rip = 4, Rsp = 7, Ss = 8 };
        Assert.True(Machine.PushBounceFrame(&frame, 0x2000, 5, 6, 3, hasError));
        ulong* stack = (ulong*)(_machine.Memory + 0x2000);
        Assert.Equal(2UL, stack[1]);
        Assert.Equal(hasError ? 3UL : 4UL, stack[2]);
        Assert.Equal(hasError ? 8UL : 0UL, stack[7]);
    }

    private ulong* Entry(ulong address, int level)
    {
        ulong table = Root;
        for (int shift = 39; ; shift -= 9)
        {
            ulong* entry = (ulong*)(_machine.Memory + table) + (address >> shift & 511);
            if (shift == level)
            {
                return entry;
            }

            table = *entry & 0x000F_FFFF_FFFF_F000;
        }
    }

    /// <summary>Upper tables at 2000h, 3000h and 4000h allow everything.</summary>
    private void Map(ulong address, ulong physical, ulong flags)
    {
        FakeMachine.Cpu.Cr3 = Root;
        *Entry(address, 39) = 0x2000 | All;
        *Entry(address, 30) = 0x3000 | All;
        *Entry(address, 21) = 0x4000 | All;
        *Entry(address, 12) = physical | flags;
    }
}
