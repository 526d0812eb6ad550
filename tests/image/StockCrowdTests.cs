// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Linq;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A hundred stock kernels on one machine, on ours and on Debian's Xen, created by the same xm.</summary>
public sealed class StockCrowdTests
{
    private const int Guests = 100;

    [LongFact]
    public void A_hundred_stock_kernels_run_and_answer() => RunOn(HypervisorKind.Ours);

    [LongFact]
    public void A_hundred_stock_kernels_run_and_answer_on_Debians_Xen() => RunOn(HypervisorKind.Xen);

    private static void RunOn(HypervisorKind hypervisor)
    {
        Run run = new(hypervisor);
        Assert.Equal("101", run.Line("domains"));
        Assert.Equal(
            Enumerable.Range(1, Guests).Select(number => string.Create(CultureInfo.InvariantCulture, $"c{number:000} says {2000 + number}")),
            run.Lines("answer"));
        double[] times = [.. run.Lines("created").Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
        Assert.Equal(Guests, times.Length);
    }

    private sealed class Run(HypervisorKind hypervisor) : ScriptRun(
        new MachineOptions
        {
            Hypervisor = hypervisor,
            Loader = LoaderKind.Kernel,
            Cpus = 2,
            MemoryMegabytes = 11264,
            Dom0MemoryMegabytes = 1024,
            HypervisorArguments = DebiansXen.Arguments(hypervisor),
            KernelArguments = "xt.devices=off",
        },
        Script,
        $"stock-crowd-{hypervisor}",
        TimeSpan.FromMinutes(90))
    {
        // Three boot at a time, so that no CPU waits for the toolstack: booting is what takes long.
        private const string Script = """
            for number in $(seq 100); do
                name=$(printf c%03d $number)
                sed "s/^name.*/name = \"$name\"/; s/^memory.*/memory = 96/" /etc/xen/xmexample1 >/run/$name.cfg
                start=${EPOCHREALTIME/./}
                xm create -q /run/$name.cfg
                echo created $((${EPOCHREALTIME/./} - start))
                xenstore-read /local/domain/$(xm domid $name)/console/tty >/run/$name.tty
                [ $number -le 2 ] || wait_for "said $(printf c%03d $((number - 2))) | grep 'GUEST IS UP'"
            done
            for number in 99 100; do wait_for "said $(printf c%03d $number) | grep 'GUEST IS UP'"; done
            echo domains $(xm list --json | grep -c '"name"')
            for number in $(seq 100); do type_to $(printf c%03d $number) "echo says \$((2000 + $number))"; done
            for number in $(seq 100); do
                name=$(printf c%03d $number)
                wait_for "said $name | grep '^says 2'"
                echo answer $name $(said $name | grep '^says 2')
            done
            """;
    }
}
