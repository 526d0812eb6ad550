// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Mmu;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>Who flushes when, on several CPUs.</summary>
public sealed unsafe class TlbFlushTests : IDisposable
{
    private const uint Cpus = 3;

    private readonly DomainBench _bench = new(Cpus);
    private readonly List<uint> _asked = [];

    public TlbFlushTests()
    {
        _bench.Machine.OnFlushRequest = _asked.Add;
        _bench.Machine.OnSpinWait = () =>
        {
            // Only what was asked is done, by the CPUs themselves.
            foreach (uint cpu in _asked)
            {
                FakeMachine.RunOn(cpu);
                TlbFlush.Serve(Machine.Cpu);
            }

            FakeMachine.RunOn(0);
        };
        for (uint cpu = 0; cpu < Cpus; cpu++)
        {
            FlushOn(cpu);
        }

        _asked.Clear();
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_frame_unmapped_after_everybody_flushed_makes_everybody_flush()
    {
        uint stamp = TlbFlush.Clock;
        TlbFlush.BeforeReuse(stamp);

        Assert.Equal([1u, 2u], _asked);
        for (uint cpu = 0; cpu < Cpus; cpu++)
        {
            Assert.True((int)(Stamp(cpu) - stamp) > 0);
        }
    }

    [Fact]
    public void Who_has_flushed_since_is_left_alone()
    {
        uint stamp = TlbFlush.Clock;
        FlushOn(1);
        int writes = _bench.Machine.CpuOf(1).Cr3Writes;
        TlbFlush.BeforeReuse(stamp);

        Assert.Equal([2u], _asked);
        Assert.Equal(writes, _bench.Machine.CpuOf(1).Cr3Writes);
    }

    [Fact]
    public void A_flush_that_began_before_the_mapping_went_does_not_count()
    {
        // CPU 1 draws its tick, then the frame is unmapped, then CPU 1 loads CR3: it may have seen the entry until then,
        // and cannot know.
        uint begun = TlbFlush.Begin();
        uint stamp = TlbFlush.Clock;
        TlbFlush.End(_bench.Machine.CpuOf(1).Info, begun);
        TlbFlush.BeforeReuse(stamp);

        Assert.Contains(1u, _asked);
    }

    [Fact]
    public void A_request_that_waits_is_not_made_twice()
    {
        _bench.Machine.CpuOf(2).Info->FlushWanted = 1;
        _asked.Add(2);
        _asked.Add(1);
        FlushOn(1);
        TlbFlush.BeforeReuse(TlbFlush.Clock - 1);

        Assert.Single(_asked, 2u);
        Assert.Equal(0, _bench.Machine.CpuOf(2).Info->FlushWanted);
    }

    [Fact]
    public void A_domains_flush_reaches_the_cpus_that_have_it_loaded()
    {
        Domain* domain = _bench.AddDomain(7);
        domain->VcpuOf(0)->LoadedOn = 2;
        TlbFlush.Domain(domain);

        Assert.Equal([2u], _asked);
        domain->VcpuOf(0)->LoadedOn = Vcpu.NotLoaded;
    }

    [Fact]
    public void A_stamp_does_not_go_back()
    {
        PageInfo* page = FrameTable.Page(new Mfn(1));
        uint later = TlbFlush.Clock + 1000;
        page->FlushStamp = later;
        TlbFlush.Stamp(page);
        Assert.Equal(later, page->FlushStamp);

        page->FlushStamp = TlbFlush.Clock - 5;
        uint before = TlbFlush.Clock;
        TlbFlush.Stamp(page);
        Assert.True((int)(page->FlushStamp - before) >= 0);
    }

    [Fact]
    public void A_cpu_that_has_not_flushed_for_very_long_is_made_to()
    {
        _bench.Machine.CpuOf(1).Info->FlushStamp = TlbFlush.Clock - (1u << 30);
        TlbFlush.Refresh();

        Assert.Equal([1u], _asked);
        Assert.True(TlbFlush.Clock - Stamp(1) < 1u << 29);
    }

    private uint Stamp(uint cpu) => _bench.Machine.CpuOf(cpu).Info->FlushStamp;

    /// <summary>
    /// CPU 0 makes writable what was a table once, and has everybody forget the table. Meanwhile CPU 1 makes a table of it
    /// again and gives that up: then this table, too, must be forgotten.
    /// </summary>
    [Fact]
    public void A_table_that_comes_and_goes_while_its_frame_becomes_writable_is_forgotten_as_well()
    {
        Domain* domain = _bench.AddDomain(1);
        Mfn mfn = DomainBench.AddFrame(domain);
        PageInfo* page = FrameTable.Page(mfn);
        Action comesAndGoes = null;
        _bench.Machine.OnFlushRequest = cpu =>
        {
            uint own = FakeMachine.Cpu.Number;
            FakeMachine.RunOn(cpu);
            TlbFlush.Serve(Machine.Cpu);
            FakeMachine.RunOn(own);
            Action once = comesAndGoes;
            comesAndGoes = null;
            once?.Invoke();
        };
        MakeTableOnce(domain, page);
        comesAndGoes = () =>
        {
            FakeMachine.RunOn(1);
            MakeTableOnce(domain, page);
            FakeMachine.RunOn(0);
        };

        Assert.True(PageReference.TryGetWritable(page, domain));
        Assert.Null(comesAndGoes);
        for (uint cpu = 0; cpu < Cpus; cpu++)
        {
            Assert.True((int)(Stamp(cpu) - page->FlushStamp) > 0, $"CPU {cpu} may remember the frame as a table");
        }
    }

    private static void MakeTableOnce(Domain* domain, PageInfo* page)
    {
        domain->MmuLock.Acquire();
        Assert.Equal(TableResult.Done, PageTables.Get(domain, FrameTable.FrameOf(page), 1));
        Assert.Equal(TableResult.Done, PageTables.Put(domain, page));
        domain->MmuLock.Release();
    }

    private static void FlushOn(uint cpu)
    {
        FakeMachine.RunOn(cpu);
        TlbFlush.Local();
        FakeMachine.RunOn(0);
    }
}
