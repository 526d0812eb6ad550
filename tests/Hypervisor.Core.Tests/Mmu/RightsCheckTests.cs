// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

public sealed unsafe class RightsCheckTests
{
    private const ulong Table = Pte.Present | Pte.Writable;
    private const ulong Image = MemoryLayout.ImageBase + 0x201000;
    private const ulong View = MemoryLayout.MachineToPhysicalReadOnly + 0x400000;
    private const ulong Direct = MemoryLayout.DirectMap + (3UL << 30);

    private readonly TestHost _host = new();
    private readonly ulong* _root = (ulong*)PageAllocator.AllocatePages(0);

    private RightsFault Find(out ulong address) =>
        RightsCheck.Find(Hypervisor.Machine.PhysicalOf(_root), out address);

    private ulong* Entry(ulong address, int level, ulong tableFlags = Table)
    {
        Assert.NotNull(_host);
        ulong* table = _root;
        for (int current = 4; current > level; current--)
        {
            ulong* entry = table + Pte.IndexOf(address, current);
            if (*entry == 0)
            {
                *entry = Hypervisor.Machine.PhysicalOf(PageAllocator.AllocatePages(0)) | tableFlags;
            }

            table = (ulong*)Hypervisor.Machine.Direct(*entry & Pte.AddressMask);
        }

        return table + Pte.IndexOf(address, level);
    }

    [Fact]
    public void Code_data_and_the_guests_view_are_sound()
    {
        *Entry(Image, 1) = 0x201000 | Pte.Present;
        *Entry(Image + 0x1000, 1) = 0x202000 | Pte.Present | Pte.Writable | Pte.NoExecute;
        *Entry(Direct, 3) = (3UL << 30) | Pte.Present | Pte.Writable | Pte.NoExecute | Pte.PageSize;
        *Entry(View, 2, Table | Pte.User) = 0x600000 | Pte.Present | Pte.User | Pte.NoExecute | Pte.PageSize;

        // What guests have outside the hypervisor's slots is theirs.
        _root[0] = 0x1000 | Pte.Present | Pte.Writable | Pte.User;

        Assert.Equal(RightsFault.None, Find(out _));
    }

    [Theory]
    [InlineData(Image, 1)]
    [InlineData(Image, 2)]
    [InlineData(Direct, 3)]
    [InlineData(MemoryLayout.HypervisorEnd - 0x1000, 1)]
    public void A_page_that_is_writable_and_executable_is_found(ulong address, int level)
    {
        *Entry(address, level) = Pte.Present | Pte.Writable | (level > 1 ? Pte.PageSize : 0);

        Assert.Equal(RightsFault.WritableAndExecutable, Find(out ulong found));
        Assert.Equal(address & ~((1UL << (3 + (9 * level))) - 1), found);
    }

    [Fact]
    public void Rights_are_those_that_every_level_grants()
    {
        *Entry(Image, 1, Pte.Present) = 0x201000 | Pte.Present | Pte.Writable;
        Assert.Equal(RightsFault.None, Find(out _));

        *Entry(Direct, 1, Table | Pte.NoExecute) = 0x201000 | Pte.Present | Pte.Writable;
        Assert.Equal(RightsFault.None, Find(out _));

        *Entry(Image, 4) |= Pte.Writable;
        *Entry(Image, 3) |= Pte.Writable;
        *Entry(Image, 2) |= Pte.Writable;
        Assert.Equal(RightsFault.WritableAndExecutable, Find(out _));
    }

    [Fact]
    public void What_guests_can_reach_is_found()
    {
        *Entry(Direct, 2, Table | Pte.User) = Pte.Present | Pte.User | Pte.NoExecute | Pte.PageSize;
        Assert.Equal(RightsFault.OpenToGuests, Find(out ulong found));
        Assert.Equal(Direct, found);

        *Entry(View, 1, Table | Pte.User) = 0x5000 | Pte.Present | Pte.Writable | Pte.User | Pte.NoExecute;
        Assert.Equal(RightsFault.WritableByGuests, Find(out found));
        Assert.Equal(View, found);
    }
}
