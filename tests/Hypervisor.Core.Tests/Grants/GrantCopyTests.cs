// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Grants;

public sealed unsafe class GrantCopyTests : IDisposable
{
    private const ushort FromGrant = GrantCopyFlags.SourceGrantRef;
    private const ushort ToGrant = GrantCopyFlags.DestGrantRef;

    private readonly GrantBench _bench = new();
    private readonly Mfn _granted;
    private readonly Mfn _own;

    public GrantCopyTests()
    {
        _granted = _bench.Grant(9);
        _own = DomainBench.AddFrame(_bench.User);
        for (int index = 0; index < 4096; index++)
        {
            GrantBench.Bytes(_granted)[index] = (byte)(index * 7);
            GrantBench.Bytes(_own)[index] = (byte)(index ^ 0x5A);
        }
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_whole_frame_is_copied_from_a_grant()
    {
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Own(_own),
            Len = 4096,
            Flags = FromGrant,
        }));

        Assert.True(GrantBench.Bytes(_own).SequenceEqual(GrantBench.Bytes(_granted)));
        AssertClean();
    }

    [Fact]
    public void A_part_is_copied_to_a_grant_and_nothing_around_it_changes()
    {
        byte[] before = GrantBench.Bytes(_granted).ToArray();
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Own(_own, 100),
            Dest = GrantBench.Granted(9, 4000),
            Len = 96,
            Flags = ToGrant,
        }));

        Assert.True(GrantBench.Bytes(_granted)[..4000].SequenceEqual(before.AsSpan(0, 4000)));
        Assert.True(GrantBench.Bytes(_granted)[4000..].SequenceEqual(GrantBench.Bytes(_own).Slice(100, 96)));
        AssertClean();
    }

    [Fact]
    public void Two_grants_of_different_domains_are_copied_by_a_third()
    {
        Mfn other = DomainBench.AddFrame(_bench.Domains.Dom0);
        GrantBench.Write(
            _bench.Domains.Dom0, 3, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)other.Raw);
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9, 8),
            Dest = GrantBench.Granted(3, 0, domain: 0),
            Len = 64,
            Flags = FromGrant | ToGrant,
        }));

        Assert.True(GrantBench.Bytes(other)[..64].SequenceEqual(GrantBench.Bytes(_granted).Slice(8, 64)));
        Assert.Equal(0, GrantBench.FlagsOf(_bench.Domains.Dom0, 3) & GrantBench.InUse);
        Assert.Equal((0ul, 0ul), GrantBench.Holds(other));
        AssertClean();
    }

    [Fact]
    public void A_grant_may_be_copied_onto_itself()
    {
        byte[] before = GrantBench.Bytes(_granted).ToArray();
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9, 0),
            Dest = GrantBench.Granted(9, 16),
            Len = 256,
            Flags = FromGrant | ToGrant,
        }));

        Assert.True(GrantBench.Bytes(_granted).Slice(16, 256).SequenceEqual(before.AsSpan(0, 256)));
        AssertClean();
    }

    [Fact]
    public void A_domain_copies_between_its_own_frames()
    {
        Mfn target = DomainBench.AddFrame(_bench.User);
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Own(_own),
            Dest = GrantBench.Own(target),
            Len = 4096,
        }));
        Assert.True(GrantBench.Bytes(target).SequenceEqual(GrantBench.Bytes(_own)));
        Assert.Equal((0ul, 0ul), GrantBench.Holds(target));
    }

    [Fact]
    public void DOMID_SELF_names_the_callers_own_grants()
    {
        Mfn mine = DomainBench.AddFrame(_bench.User);
        GrantBench.Write(_bench.User, 4, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)mine.Raw);

        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Granted(4, 0, domain: 0x7FF0),
            Len = 8,
            Flags = FromGrant | ToGrant,
        }));
        Assert.True(GrantBench.Bytes(mine)[..8].SequenceEqual(GrantBench.Bytes(_granted)[..8]));
    }

    [Theory]
    [InlineData(1, 0, 4096)]
    [InlineData(0, 1, 4096)]
    [InlineData(4096, 0, 1)]
    [InlineData(0, 4097, 0)]
    [InlineData(0xFFFF, 0, 0xFFFF)]
    public void A_copy_stays_within_its_frames(int source, int target, int length)
    {
        Assert.Equal(GrantStatus.BadCopyArg, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9, (ushort)source),
            Dest = GrantBench.Own(_own, (ushort)target),
            Len = (ushort)length,
            Flags = FromGrant,
        }));
        AssertClean();
    }

    [Fact]
    public void Nothing_at_all_may_be_copied()
    {
        Assert.Equal(GrantStatus.Okay, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9, 4096),
            Dest = GrantBench.Own(_own, 4096),
            Flags = FromGrant,
        }));
        AssertClean();
    }

    [Fact]
    public void A_read_only_grant_is_a_source_but_no_target()
    {
        GrantBench.Entry(_bench.Owner, 9)->Flags |= GrantEntryFlags.ReadOnly;

        Assert.Equal(GrantStatus.GeneralError, Write());
        Assert.Equal(GrantStatus.Okay, Read());
        AssertClean();
    }

    [Fact]
    public void What_is_not_granted_is_not_copied()
    {
        GrantBench.Entry(_bench.Owner, 9)->Domid = new DomId(0);
        Assert.Equal(GrantStatus.GeneralError, Read());
        GrantBench.Entry(_bench.Owner, 9)->Domid = new DomId(GrantBench.Mapper);
        GrantBench.Entry(_bench.Owner, 9)->Flags = 0;
        Assert.Equal(GrantStatus.GeneralError, Read());
        Assert.Equal(GrantStatus.BadGntref, _bench.Copy(new()
        {
            Source = GrantBench.Granted(512),
            Dest = GrantBench.Own(_own),
            Len = 8,
            Flags = FromGrant,
        }));
        Assert.Equal(GrantStatus.BadDomain, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9, 0, domain: 99),
            Dest = GrantBench.Own(_own),
            Len = 8,
            Flags = FromGrant,
        }));
        AssertClean();
    }

    [Fact]
    public void Frames_of_others_are_named_by_grants_alone()
    {
        Assert.Equal(GrantStatus.PermissionDenied, _bench.Copy(new()
        {
            Source = GrantBench.Own(_granted, 0, GrantBench.Granter),
            Dest = GrantBench.Own(_own),
            Len = 8,
        }));
        Assert.Equal(GrantStatus.BadPage, CopyOwn(_granted, _own));
        Assert.Equal(GrantStatus.BadPage, CopyOwn(_own, _granted));
        Assert.Equal(GrantStatus.BadPage, CopyOwn(new Mfn(ulong.MaxValue), _own));
        Assert.Equal(GrantStatus.BadPage, CopyOwn(_own, new Mfn(1ul << 40)));
        Assert.Equal((0ul, 0ul), GrantBench.Holds(_granted));
        Assert.Equal((0ul, 0ul), GrantBench.Holds(_own));
    }

    [Fact]
    public void A_page_table_is_read_but_never_written()
    {
        ulong type = GrantBench.PageOf(_bench.Leaf)->Type;
        Assert.Equal(GrantStatus.Okay, CopyOwn(_bench.Leaf, _own));
        Assert.Equal(GrantStatus.BadPage, CopyOwn(_own, _bench.Leaf));
        Assert.Equal(type, GrantBench.PageOf(_bench.Leaf)->Type);

        GrantBench.PageOf(_granted)->Type = PageType.L2 | PageType.Validated | 1;
        Assert.Equal(GrantStatus.GeneralError, Write());
        Assert.Equal(GrantStatus.Okay, Read());
        AssertClean();
    }

    [Fact]
    public void A_bad_target_lets_go_of_the_source()
    {
        Assert.Equal(GrantStatus.BadPage, _bench.Copy(new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Own(new Mfn(0)),
            Len = 8,
            Flags = FromGrant,
        }));
        AssertClean();
    }

    [Fact]
    public void A_copy_leaves_the_bits_of_a_mapping_alone()
    {
        uint handle = _bench.Map(9, 3, GrantMapFlags.HostMap | GrantMapFlags.ReadOnly);
        Assert.Equal(GrantStatus.Okay, Write());
        Assert.Equal(GrantEntryFlags.Reading, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        AssertClean();
    }

    [Fact]
    public void A_list_of_copies_has_a_status_for_each()
    {
        GrantTableCopy good = new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Own(_own),
            Len = 16,
            Flags = FromGrant,
            Status = 55,
        };
        GrantTableCopy bad = good;
        bad.Source = GrantBench.Granted(10);
        for (int index = 0; index < 3; index++)
        {
            _ = DomainBench.Put(_bench.Arguments, index == 1 ? bad : good, index);
        }

        Assert.Equal(0, _bench.CallAt(_bench.User, GrantTableCommand.Copy, _bench.Arguments.Address, 3));
        Assert.Equal(0, DomainBench.Get<GrantTableCopy>(_bench.Arguments, 0).Status);
        Assert.Equal(-1, DomainBench.Get<GrantTableCopy>(_bench.Arguments, 1).Status);
        Assert.Equal(0, DomainBench.Get<GrantTableCopy>(_bench.Arguments, 2).Status);
        Assert.Equal(2, _bench.Owner->References);
    }

    [Fact]
    public void A_list_may_name_granters_in_turn()
    {
        Mfn other = DomainBench.AddFrame(_bench.Domains.Dom0);
        GrantBench.Write(
            _bench.Domains.Dom0, 3, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)other.Raw);
        for (int index = 0; index < 6; index++)
        {
            bool isFirst = (index & 1) == 0;
            _ = DomainBench.Put(
                _bench.Arguments,
                new GrantTableCopy
                {
                    Source = isFirst ? GrantBench.Granted(9) : GrantBench.Granted(3, 0, domain: 0),
                    Dest = GrantBench.Own(_own, (ushort)(index * 8)),
                    Len = 8,
                    Flags = FromGrant,
                    Status = 55,
                },
                index);
        }

        Assert.Equal(0, _bench.CallAt(_bench.User, GrantTableCommand.Copy, _bench.Arguments.Address, 6));
        for (int index = 0; index < 6; index++)
        {
            Assert.Equal(0, DomainBench.Get<GrantTableCopy>(_bench.Arguments, index).Status);
            Span<byte> expected = GrantBench.Bytes((index & 1) == 0 ? _granted : other)[..8];
            Assert.True(GrantBench.Bytes(_own).Slice(index * 8, 8).SequenceEqual(expected));
        }

        Assert.Equal(2, _bench.Domains.Dom0->References);
        AssertClean();
    }

    [Fact]
    public void A_writing_copy_beside_a_reading_mapping_asks_for_the_right_to_write()
    {
        uint handle = _bench.Map(9, 3, GrantMapFlags.HostMap | GrantMapFlags.ReadOnly);
        GrantBench.Entry(_bench.Owner, 9)->Flags |= GrantEntryFlags.ReadOnly;
        Assert.Equal(GrantStatus.GeneralError, Write());
        Assert.Equal(GrantEntryFlags.Reading, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);

        // The mapping is believed, not the entry that has changed under it.
        GrantBench.Entry(_bench.Owner, 9)->Flags = 0;
        Assert.Equal(GrantStatus.Okay, Read());
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        AssertClean();
    }

    [Fact]
    public void A_mapping_of_one_domain_keeps_copies_of_another_out()
    {
        _ = _bench.Map(9, 3);
        GrantBench.Entry(_bench.Owner, 9)->Domid = new DomId(0);
        Mfn target = DomainBench.AddFrame(_bench.Domains.Dom0);
        GrantTableCopy request = new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Own(target),
            Len = 8,
            Flags = FromGrant,
        };
        Assert.Equal(
            0, _bench.Call(_bench.Domains.Dom0, GrantTableCommand.Copy, _bench.Dom0Arguments, ref request));
        Assert.Equal(GrantStatus.GeneralError, (GrantStatus)request.Status);
    }

    [Fact]
    public void Many_copies_give_way_and_go_on()
    {
        GrantTableCopy copy = new()
        {
            Source = GrantBench.Granted(9),
            Dest = GrantBench.Own(_own),
            Len = 16,
            Flags = FromGrant,
            Status = 55,
        };
        for (int index = 0; index < 20; index++)
        {
            _ = DomainBench.Put(_bench.Arguments, copy, index);
        }

        _bench.Domains.MakeBusy();
        ulong address = _bench.Arguments.Address;
        Assert.Equal(
            HypercallResult.Preempted.Raw, _bench.CallAt(_bench.User, GrantTableCommand.Copy, address, 20));
        Assert.Equal(
            ((ulong)GrantTableCommand.Copy, address + (16 * 40), 4ul),
            (_bench.Frame.Rdi, _bench.Frame.Rsi, _bench.Frame.Rdx));
        Assert.Equal(55, DomainBench.Get<GrantTableCopy>(_bench.Arguments, 16).Status);
        Assert.Equal(2, _bench.Owner->References);
    }

    private GrantStatus Read() => _bench.Copy(new()
    {
        Source = GrantBench.Granted(9),
        Dest = GrantBench.Own(_own),
        Len = 64,
        Flags = FromGrant,
    });

    private GrantStatus Write() => _bench.Copy(new()
    {
        Source = GrantBench.Own(_own),
        Dest = GrantBench.Granted(9),
        Len = 64,
        Flags = ToGrant,
    });

    private GrantStatus CopyOwn(Mfn source, Mfn target) => _bench.Copy(new()
    {
        Source = GrantBench.Own(source),
        Dest = GrantBench.Own(target),
        Len = 8,
    });

    private void AssertClean()
    {
        _bench.AssertUnused(9, _granted);
        Assert.Equal((0ul, 0ul), GrantBench.Holds(_own));
        Assert.Equal(2, _bench.Owner->References);
    }
}
