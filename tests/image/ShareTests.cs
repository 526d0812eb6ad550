// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Shares, caps and response times of guests on the whole machine, as Domain-0's tools count them. An instruction is a
/// nanosecond, so what the host does meanwhile does not count. One run, of all policies; it begins under bvt.
/// </summary>
public sealed class ShareTests(ShareTests.Measurement measurement) : IClassFixture<ShareTests.Measurement>
{
    /// <summary>Four on two CPUs.</summary>
    [Theory]
    [InlineData("bvt")]
    [InlineData("sedf")]
    [InlineData("credit")]
    public void Weights_hold_on_two_CPUs(string policy)
    {
        double small = Share($"two-{policy}", "a1") + Share($"two-{policy}", "a2");
        double large = Share($"two-{policy}", "b1") + Share($"two-{policy}", "b2");
        Assert.InRange(large / small, 1.9, 2.1);
    }

    [Theory]
    [InlineData("bvt")]
    [InlineData("sedf")]
    [InlineData("credit")]
    public void Weights_256_and_512_give_one_to_two(string policy) =>
        Assert.InRange(Share($"one-{policy}", "b1") / Share($"one-{policy}", "a1"), 1.9, 2.1);

    /// <summary>Both CPU-bound guests compute beside it, on the same CPU.</summary>
    [Theory]
    [InlineData("bvt")]
    [InlineData("sedf")]
    [InlineData("credit")]
    public void A_guest_that_sleeps_mostly_responds_soon_beside_those_that_compute(string policy)
    {
        (double ticks, double worst, double delays, _, _) = LoadGuest.Numbers(measurement.Line($"one-{policy} t1"));
        Assert.InRange(ticks, 290, 301);

        // The rate limit is a millisecond, a turn of those who compute ten.
        Assert.InRange(worst, 1, 2e6);
        Assert.InRange(delays / ticks, 1, 0.3e6);
    }

    [Fact]
    public void A_cap_of_a_quarter_holds_though_the_rest_of_the_CPU_is_free() =>
        Assert.InRange(Share("cap", "a1"), 0.24, 0.26);

    [Fact]
    public void A_reservation_is_kept_beside_those_that_compute() =>
        Assert.InRange(Share("reserved", "a1"), 0.595, 0.605);

    /// <summary>Part of a CPU that the domain had in the three seconds of a window, by its own account. Its own looks at the
    /// clock, at both ends, may each come late by its wait for its turn: 200 ms are allowed, and no share counts them.</summary>
    private double Share(string label, string domain)
    {
        (_, _, _, double ran, double time) = LoadGuest.Numbers(measurement.Line($"{label} {domain}"));
        Assert.InRange(time, LoadGuest.Window - 0.2e9, LoadGuest.Window + 0.2e9);
        return ran / LoadGuest.Window;
    }

    /// <summary>All windows, one after the other.</summary>
    public sealed class Measurement() : ScriptRun(
        new MachineOptions
        {
            Loader = LoaderKind.Kernel,
            Cpus = 2,
            InstructionCount = true,
            Scheduler = "bvt",
            KernelArguments = "xt.devices=off",
        },
        Script,
        "shares",
        TimeSpan.FromMinutes(15))
    {
        private const string Script = """
            for name in a1 a2 b1 b2; do make $name S; done
            for name in a1 a2; do xm sched-bvt -d $name -m 20; done
            for name in b1 b2; do xm sched-credit -d $name -w 512; xm sched-sedf -d $name -w 512; done
            window two-bvt a1 a2 b1 b2
            xm sched-set sedf
            window two-sedf a1 a2 b1 b2
            xm sched-set credit
            window two-credit a1 a2 b1 b2

            xl vcpu-pin Domain-0 all 0
            for name in a2 b2; do xm destroy $name; done
            make t1 T
            for name in a1 b1 t1; do xl vcpu-pin $name all 1; done
            window one-credit a1 b1 t1
            xm sched-set bvt
            window one-bvt a1 b1 t1
            xm sched-set sedf
            window one-sedf a1 b1 t1
            xm sched-sedf -d a1 -p 20 -s 12 -e 0
            window reserved a1
            xm sched-sedf -d a1 -s 0 -e 1

            xm sched-set credit
            xm sched-credit -d a1 -c 25
            xl pause b1
            window cap a1
            """;
    }
}
