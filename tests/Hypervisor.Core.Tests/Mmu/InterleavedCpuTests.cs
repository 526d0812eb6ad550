// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;
using Xunit.Abstractions;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>
/// The invariant of page types with several CPUs at work at once (<see cref="InterleavedCpus"/>). A seed that fails is
/// told together with the fewest requests with which it still does; <c>INTERLEAVED_SEEDS</c> in the environment, such as
/// <c>100-5000</c>, says which seeds to try instead of the gate's.
/// </summary>
public sealed unsafe class InterleavedCpuTests(ITestOutputHelper output)
{
    private const int Seeds = 150;

    /// <summary>Lives that are spent on making a failure small.</summary>
    private const int Attempts = 400;

    [Fact]
    public void No_interleaving_of_cpus_breaks_the_invariant()
    {
        string range = Environment.GetEnvironmentVariable("INTERLEAVED_SEEDS") ?? $"0-{Seeds - 1}";
        int[] ends = [.. range.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
        long steps = 0;
        long switches = 0;
        long requests = 0;
        for (int seed = ends[0]; seed <= ends[^1]; seed++)
        {
            InterleavedCpus life = new(seed, (_, _) => false);
            Exception failure = Record.Exception(life.Run);
            if (failure != null)
            {
                Assert.Fail(Describe(seed, life, failure));
            }

            steps += life.Steps;
            switches += life.Switches;
            requests += life.Made.Count;
        }

        output.WriteLine($"{requests} requests, {steps} steps, {switches} switches");

        // It is worth something only if CPUs do get in each other's way.
        Assert.True(switches > requests, $"{requests} requests, {steps} steps, {switches} switches");
    }

    /// <summary>What happened once happens again.</summary>
    [Fact]
    public void A_seed_gives_the_same_life_each_time()
    {
        InterleavedCpus first = new(3, (_, _) => false);
        first.Run();
        InterleavedCpus second = new(3, (_, _) => false);
        second.Run();
        Assert.Equal(first.Log, second.Log);
        Assert.Equal((first.Steps, first.Switches), (second.Steps, second.Switches));
    }

    /// <summary>A CPU says that it has flushed and has not.</summary>
    [Fact]
    public void A_flush_that_does_not_happen_is_noticed() => AssertNoticed(life =>
        life.Machine.OnFlushRequest = cpu =>
        {
            Machine.CpuOf(cpu)->FlushWanted = 0;
            Machine.CpuOf(cpu)->FlushStamp = TlbFlush.Begin();
        });

    /// <summary>A reference gets lost while others work.</summary>
    [Fact]
    public void A_count_that_is_wrong_is_noticed() => AssertNoticed(life =>
    {
        int windows = 0;
        Action before = life.Machine.OnInterruptWindow;
        life.Machine.OnInterruptWindow = () =>
        {
            before();
            if (++windows == 3)
            {
                FrameTable.Page(new Mfn(life.GuestFrames[^1]))->Count++;
            }
        };
    });

    /// <summary>The tools pin a table of a domain that has no vCPU yet, while others of them destroy it.</summary>
    [Fact]
    public void A_table_that_is_pinned_while_its_domain_begins_to_die_goes_with_it()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            TestHost host = new(memory: 3 << 20, cpus: 2);
            host.Machine.IsGuestMemoryPhysical = true;
            Vcpu* second = DomainFactory.CreateVcpu(host.Dom0, 1, out _);
            ulong before = PageAllocator.FreeFrames;
            Domain* domain = DomainFactory.Create(DomainFactory.FirstFree, DomainLimits.OfVcpus(1), out _);
            domain->MaxPages = 4;
            HostileDomain victim = new(domain, 1);
            HostileVcpu[] tools = [new(host, 0, host.Caller, victim, 0), new(host, 1, second, victim, 0)];
            LockStep steps = new(host.Machine, () => { });
            steps.Shuffle(seed, 64);
            steps.Run(cpu =>
            {
                TestHost.Run(tools[cpu].Vcpu);
                if (cpu == 0)
                {
                    Assert.Equal(0, host.DomCtl(DomCtlCommand.DestroyDomain, victim.Id));
                }
                else
                {
                    _ = tools[cpu].Extended(MmuExtCommand.PinL1Table, victim.Frames[0], victim.Id);
                }
            });
            Assert.True(before == PageAllocator.FreeFrames, $"seed {seed}: memory is left");
        }
    }

    private static void AssertNoticed(Action<InterleavedCpus> sabotage)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            InterleavedCpus life = new(seed, (_, _) => false) { Sabotage = sabotage };
            if (Record.Exception(life.Run) != null)
            {
                return;
            }
        }

        Assert.Fail("nobody noticed");
    }

    private static string Describe(int seed, InterleavedCpus life, Exception failure)
    {
        InterleavedCpus smallest = MakeSmall(seed, life, failure);
        return $"seed {seed}: {failure.Message}\n{failure.StackTrace}\n{string.Join('\n', life.Ends)}\n"
            + $"It does so with {smallest.Made.Count} of {life.Made.Count} requests as well:\n"
            + string.Join('\n', smallest.Log);
    }

    /// <summary>Leaves out as many requests as possible, in ever smaller runs of them.</summary>
    private static InterleavedCpus MakeSmall(int seed, InterleavedCpus life, Exception failure)
    {
        InterleavedCpus smallest = life;
        int attempts = Attempts;
        for (int length = life.Made.Count / 2; length >= 1 && attempts > 0; length /= 2)
        {
            for (int first = 0; first < smallest.Made.Count && attempts > 0; attempts--)
            {
                List<(int Cpu, int Number)> kept = [.. smallest.Made];
                kept.RemoveRange(first, Math.Min(length, kept.Count - first));
                InterleavedCpus shorter = Only(seed, kept);
                Exception other = Record.Exception(shorter.Run);
                if (other != null && KindOf(other) == KindOf(failure))
                {
                    smallest = shorter;
                }
                else
                {
                    first += length;
                }
            }
        }

        return smallest;
    }

    /// <summary>What went wrong, whichever frame it is about.</summary>
    private static string KindOf(Exception failure) =>
        failure.GetType().Name + Regex.Replace(failure.Message, "[0-9a-f]*[0-9][0-9a-f]*", string.Empty);

    private static InterleavedCpus Only(int seed, List<(int Cpu, int Number)> kept)
    {
        HashSet<(int, int)> wanted = [.. kept];
        return new InterleavedCpus(seed, (cpu, number) => !wanted.Contains((cpu, number)));
    }
}
