// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Console;
using Hypervisor.Core.Tests.Lifecycle;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class GuestMessagesTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly Domain* _guest;

    public GuestMessagesTests()
    {
        _guest = _host.AddDomain();
        GuestMessages.Configure(-1, 1);
        _host.Machine.Tsc = 1000;
        _host.Machine.ClearConsole();
    }

    public void Dispose() => GuestMessages.Configure(-1, 1);

    private int Count(string text) => _host.Machine.Console.Split(text).Length - 1;

    [Fact]
    public void A_domain_says_so_much_in_a_period_and_the_rest_is_one_line_that_names_it()
    {
        for (int i = 0; i < 500; i++)
        {
            GuestMessages.Warning(_guest, "nonsense"u8).End();
        }

        Assert.Equal((int)MessageRate.Burst, Count($"(XEN) d{_guest->Id}: nonsense\n"));
        GuestMessages.ReportSuppressed();
        Assert.Equal(0, Count("suppressed"));
        _host.Machine.AdvanceTsc(MessageRate.Period);
        GuestMessages.ReportSuppressed();
        GuestMessages.ReportSuppressed();
        Assert.Equal(1, Count($"(XEN) d{_guest->Id}: 490 messages suppressed\n"));
        GuestMessages.Warning(_guest, "again"u8).End();
        Assert.Equal(1, Count("again"));
    }

    [Fact]
    public void One_domains_flood_does_not_silence_another()
    {
        for (int i = 0; i < 500; i++)
        {
            GuestMessages.Warning(_guest, "nonsense"u8).End();
        }

        GuestMessages.Error(_host.Dom0, "heard"u8).End();

        Assert.Equal(1, Count("(XEN) d0: heard\n"));
    }

    [Fact]
    public void Thresholds_decide_what_passes_always_sometimes_and_never()
    {
        GuestMessages.Configure(0, 0);
        for (int i = 0; i < 50; i++)
        {
            GuestMessages.Error(_guest, "error"u8).End();
            GuestMessages.Warning(_guest, "warning"u8).End();
        }

        Assert.Equal((50, 0), (Count("error\n"), Count("warning\n")));
    }

    [Fact]
    public void What_is_owed_is_told_when_the_domain_ends()
    {
        for (int i = 0; i < 11; i++)
        {
            GuestMessages.Warning(_guest, "nonsense"u8).End();
        }

        GuestMessages.Report(_guest);
        Assert.Equal(1, Count(": 1 messages suppressed\n"));
    }

    [Fact]
    public void Lines_of_the_hypervisor_between_its_two_thresholds_come_at_a_limited_rate()
    {
        LogLevel before = Log.LimitedThreshold;
        _host.Machine.LogThreshold = LogLevel.Error;
        Log.LimitedThreshold = LogLevel.Warning;
        _host.Machine.Tsc = 1UL << 60; // later than whatever other tests did
        for (int i = 0; i < 30; i++)
        {
            Log.Warning("limited"u8).End();
            Log.Error("always"u8).End();
            Log.Info("never"u8).End();
        }

        Assert.Equal((10, 30, 0), (Count("limited\n"), Count("always\n"), Count("never\n")));
        _host.Machine.AdvanceTsc(MessageRate.Period);
        Log.Warning("limited"u8).End();
        Log.LimitedThreshold = before;
        Assert.Equal(1, Count("20 messages of the hypervisor suppressed\n"));
    }
}
