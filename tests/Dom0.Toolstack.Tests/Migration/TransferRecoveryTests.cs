// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Migration;

public sealed class TransferRecoveryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("transfers-").FullName;
    private readonly FakeGuest _guest = new();
    private readonly List<string> _log = [];
    private readonly TestClock _clock = new();
    private readonly TransferRecovery _recovery;

    public TransferRecoveryTests() =>
        _recovery = new TransferRecovery(_guest.Hypervisor, _guest.Store, _clock, _log.Add, _folder);

    private Guid Uuid => _guest.State.Uuid;

    public void Dispose()
    {
        _guest.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A command that took the right and was killed.</summary>
    private void Killed(bool isSave, string draft = "") =>
        TransferClaim.Take(new AbandonedTransfer(Uuid, isSave, "guest", draft), _folder).Keep();

    private void Check(bool isKept = false) => _recovery.Check(_ => isKept);

    [Fact]
    public void A_domain_has_one_command_at_a_time()
    {
        using TransferClaim claim = TransferClaim.Take(new AbandonedTransfer(Uuid, true, "guest", ""), _folder);
        Assert.Contains("'guest' is being saved or restored", Assert.Throws<ToolstackException>(
            () => TransferClaim.Take(new AbandonedTransfer(Uuid, false, "guest", ""), _folder)).Message);
        Assert.Empty(TransferClaim.Abandoned(_folder));
        using TransferClaim other = TransferClaim.Take(new AbandonedTransfer(Guid.NewGuid(), true, "b", ""), _folder);
        claim.Dispose();
        using TransferClaim again = TransferClaim.Take(new AbandonedTransfer(Uuid, true, "guest", ""), _folder);
    }

    [Fact]
    public void A_suspended_guest_whose_command_was_killed_runs_on_and_the_draft_goes()
    {
        string draft = Path.Combine(_folder, "file.17.part");
        File.WriteAllText(draft, "half");
        _guest.State.IsShutdown = true;
        _guest.State.Reason = ShutdownReason.Suspend;
        Killed(isSave: true, draft);
        Check();
        Assert.True(_guest.Runs);
        Assert.Equal(1UL, FakeGuest.Context(_guest.State).UserRegs.Rax);
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Equal(["'guest' was being saved when the command was killed: it runs on"], _log);
    }

    [Fact]
    public void A_finished_file_is_no_draft()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "whole");
        Killed(isSave: true, file);
        _guest.Fake.Domains.Remove(_guest.Domain.Id);
        Check();
        Assert.Equal([file], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_request_that_the_guest_has_not_answered_is_withdrawn()
    {
        _guest.Answers = false;
        _guest.Store.Write(_guest.ControlNode, "suspend");
        Killed(isSave: true);
        Check();
        Assert.Equal("", _guest.Server.Nodes[_guest.ControlNode].Value);
        Assert.True(_guest.Runs);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_guest_that_is_about_to_stop_is_waited_for()
    {
        Killed(isSave: true);
        Check();
        _ = Assert.Single(Directory.GetFiles(_folder));
        _guest.State.IsShutdown = true;
        _guest.State.Reason = ShutdownReason.Suspend;
        Check();
        Assert.True(_guest.Runs);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_guest_that_was_never_asked_is_not_waited_for_for_ever()
    {
        Killed(isSave: true);
        Check();
        _clock.Advance(TimeSpan.FromSeconds(61));
        Check();
        Assert.Empty(Directory.GetFiles(_folder));

        // From now on a guest that suspends itself does so for somebody else.
        _guest.State.IsShutdown = true;
        _guest.State.Reason = ShutdownReason.Suspend;
        Check();
        Assert.Equal(0, _guest.State.Resumes);
    }

    [Fact]
    public void A_half_restored_domain_goes_and_a_finished_one_stays()
    {
        Killed(isSave: false);
        Check(isKept: true);
        Assert.True(_guest.Runs);
        Assert.Empty(Directory.GetFiles(_folder));
        Killed(isSave: false);
        Check();
        Assert.Equal([0], _guest.Fake.Domains.Keys);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void What_cannot_be_done_now_is_tried_again()
    {
        _guest.State.IsShutdown = true;
        _guest.State.Reason = ShutdownReason.Suspend;
        Killed(isSave: true);
        (_guest.Fake.FailAfter, _guest.Fake.FailWith) = (1, Interop.LibcErrno.Invalid);
        Check();
        _ = Assert.Single(Directory.GetFiles(_folder));
        Check();
        Assert.True(_guest.Runs);
    }

    private sealed class TestClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
