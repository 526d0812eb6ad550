// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Threading;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Events;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Diagnostics;

/// <summary>The recount finds nothing where nothing is wrong, and each thing that is made wrong.</summary>
public sealed unsafe class RecountTests
{
    private const ulong ReadOnly = Pte.Present | Pte.User;
    private const ulong ReadWrite = ReadOnly | Pte.Writable;

    private readonly TestHost _host = new(cpus: 2);
    private readonly Domain* _guest;
    private readonly Domain* _other;
    private readonly Mfn[] _frames;

    public RecountTests()
    {
        _guest = _host.AddDomain();
        _other = _host.AddDomain();
        _frames = TestHost.Populate(_guest, 8);

        // Level 1 maps frames 4 (to read) and 5 (to write); levels 2 to 4 above it; the root is pinned.
        Slots(0)[0] = Pte.Make(_frames[4], ReadOnly);
        Slots(0)[1] = Pte.Make(_frames[5], ReadWrite);
        for (int level = 2; level <= 4; level++)
        {
            Slots(level - 1)[0] = Pte.Make(_frames[level - 2], ReadWrite);
        }

        Assert.Equal(Errno.Ok, MmuExtOps.Pin(_guest, _frames[3], 4));
        _host.Machine.ClearConsole();
    }

    [Fact]
    public void Tables_roots_descriptors_records_and_event_pages_add_up()
    {
        Vcpu* vcpu = _guest->VcpuOf(0);
        Assert.Equal(Errno.Ok, VcpuRoots.SetKernel(vcpu, _frames[3]));
        Assert.Equal(Errno.Ok, VcpuInfoFrame.Register(vcpu, _frames[5].Raw, 64));
        Assert.Equal(Errno.Ok, FifoControl.Initialise(_guest, 0, _frames[6].Raw, 0));
        Assert.Equal(Errno.Ok, FifoControl.Expand(_guest, _frames[6].Raw));
        ulong descriptors = _frames[7].Raw;
        Assert.Equal(Errno.Ok, DescriptorTables.SetGdt(vcpu, &descriptors, 3));

        Assert.Equal([], Complaints());
        Assert.Equal(3u, FrameTable.Page(_frames[5])->Count & PageInfo.ReferenceMask);
        Assert.Equal(3u, FrameTable.Page(_frames[6])->Count & PageInfo.ReferenceMask);
    }

    [Fact]
    public void A_reference_too_many_and_one_too_few()
    {
        FrameTable.Page(_frames[4])->Count++;
        FrameTable.Page(_frames[5])->Count--;
        Assert.Collection(
            Complaints(),
            line => Assert.Contains($"frame {_frames[4].Raw:x} of {_guest->Id} has 3 references, found 2;", line, StringComparison.Ordinal),
            line => Assert.Contains($"frame {_frames[5].Raw:x} of {_guest->Id} has 1 references, found 2;", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_use_too_many_and_another_type()
    {
        FrameTable.Page(_frames[5])->Type++;
        Assert.Contains(
            "2 as writable memory, found 1 as writable memory", Assert.Single(Complaints()), StringComparison.Ordinal);

        FrameTable.Page(_frames[5])->Type--;
        FrameTable.Page(_frames[0])->Type ^= PageType.L1 ^ PageType.L2;
        Assert.Contains(
            Complaints(),
            line => line.Contains("1 as a table of level 2, found 1 as a table of level 1", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_access_to_a_page_table()
    {
        Slots(0)[2] = Pte.Make(_frames[1], ReadWrite);
        Assert.Contains(
            Complaints(),
            line => line.Contains($"frame {_frames[1].Raw:x} is used as ", StringComparison.Ordinal)
                && line.Contains("writable memory", StringComparison.Ordinal)
                && line.Contains("a table of level 2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_frame_of_another_domain_without_a_grant()
    {
        Mfn foreign = TestHost.Populate(_other, 1)[0];
        FrameTable.Page(foreign)->Count++;
        Slots(0)[2] = Pte.Make(foreign, ReadOnly);
        Assert.Equal([$"  domain {_guest->Id} maps 1 frames of others by 0 grants"], Complaints());
    }

    [Fact]
    public void Memory_that_is_nobodys()
    {
        Mfn free = TestHost.Populate(_other, 1)[0];
        Assert.True(DomainPages.Release(FrameTable.Page(free)));
        Slots(0)[2] = Pte.Make(free, ReadOnly);
        Assert.Contains(Complaints(), line => line.Contains("is nobody's, and 1 refer to it", StringComparison.Ordinal));
    }

    [Fact]
    public void Entries_that_no_guest_may_have()
    {
        Slots(0)[0] |= Pte.Global;
        Slots(1)[0] |= Pte.PageSize;
        Slots(2)[0] &= ~Pte.User;
        Slots(3)[MemoryLayout.FirstHypervisorSlot] ^= Pte.Writable;
        IReadOnlyList<string> complaints = Complaints();
        for (int level = 1; level <= 3; level++)
        {
            Assert.Contains(
                complaints, line => line.Contains($"a table of level {level}, has an entry that no guest may have, at 0", StringComparison.Ordinal));
        }

        Assert.Contains(complaints, line => line.Contains("lacks the hypervisor's slots", StringComparison.Ordinal));
        Assert.Equal(4, complaints.Count);
    }

    [Fact]
    public void A_list_that_is_broken()
    {
        ushort guest = _guest->Id;
        ushort other = _other->Id;
        FrameTable.Page(_frames[6])->Owner = _other->Id;
        Assert.Contains(Complaints(), line => line.Contains($"is in the list of domain {guest} and belongs to {other}", StringComparison.Ordinal));
        FrameTable.Page(_frames[6])->Owner = _guest->Id;
        _guest->TotalPages++;
        Assert.Equal([$"  domain {_guest->Id} has 8 frames in its list, 9 counted"], Complaints());
    }

    [Fact]
    public void A_root_that_is_none()
    {
        Machine.CpuOf(1)->Cr3 = _frames[2].Address;
        Assert.Contains(Complaints(), line => line.Contains("CPU 1 has a root loaded that is none", StringComparison.Ordinal));
        Machine.CpuOf(1)->Cr3 = _frames[3].Address;
        Assert.Equal([], Complaints());
    }

    /// <summary>With one page to count in, the frames are gone through in several runs.</summary>
    [Fact]
    public void A_machine_larger_than_the_memory_to_count_in()
    {
        FrameTable.Page(_frames[4])->Count++;
        void* last = null;
        for (void* page = last; (page = PageAllocator.AllocatePages(0)) != null; last = page)
        {
        }

        Assert.False(Recount.TryRun(out _, out _));
        PageAllocator.FreePages(last, 0);
        IReadOnlyList<string> complaints = Complaints();
        _ = Assert.Single(complaints);
        Assert.Equal(1ul, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Mismatches_without_end_are_counted_and_not_all_printed()
    {
        foreach (Mfn frame in TestHost.Populate(_other, 100))
        {
            FrameTable.Page(frame)->Count++;
        }

        _host.Machine.ClearConsole();
        Assert.True(Recount.TryRun(out ulong domains, out ulong mismatches));
        Assert.Equal((3ul, 100ul), (domains, mismatches));
        Assert.Equal(32, _host.Machine.Console.Split("(XEN)").Length - 1);
    }

    [Fact]
    public void Other_CPUs_stand_still_and_go_on()
    {
        bool ends = false;
        FakeMachine machine = _host.Machine;

        // A question for registers may be left of an earlier machine, whose CPU never answered.
        FakeMachine.RunOn(1);
        CpuQuestions.Answer();
        FakeMachine.RunOn(0);
        Thread other = new(() =>
        {
            FakeMachine.Join(machine, 1);
            while (!Volatile.Read(ref ends))
            {
                CpuQuestions.Answer();
            }
        });
        other.Start();
        _host.Machine.ClearConsole();
        Recount.Print();
        Recount.Print();
        Volatile.Write(ref ends, true);
        other.Join();
        string[] lines = _host.Machine.Console.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Collection(
            lines,
            line => Assert.EndsWith(" 0 mismatches", line, StringComparison.Ordinal),
            line => Assert.EndsWith(" 0 mismatches", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_CPU_that_does_not_come_is_not_waited_for()
    {
        _host.Machine.OnSpinWait = () => _host.Machine.AdvanceTsc(1 << 24);
        Recount.Print();
        Assert.Contains("of 1 other CPUs 0 came to a stop; nothing was looked at", _host.Machine.Console, StringComparison.Ordinal);
        Recount.Print();
        Assert.DoesNotContain("mismatches", _host.Machine.Console, StringComparison.Ordinal);
    }

    private ulong* Slots(int frame) => (ulong*)Machine.Direct(_frames[frame]);

    private IReadOnlyList<string> Complaints()
    {
        _host.Machine.ClearConsole();
        Assert.True(Recount.TryRun(out _, out ulong mismatches));
        string[] lines = _host.Machine.Console.Replace("(XEN) ", "", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(mismatches, (ulong)lines.Length);
        return lines;
    }
}
