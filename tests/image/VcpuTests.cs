// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Linq;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Four virtual CPUs on two, of Domain-0 and of a stock guest: all of them work, go and come back at xm's word, and know how
/// much of their time others had. One run.
/// </summary>
public sealed class VcpuTests(VcpuTests.Steps steps) : IClassFixture<VcpuTests.Steps>
{
    private const int Vcpus = 4;
    private const int TicksPerSecond = 100;

    public static TheoryData<string> Domains => ["Domain-0", "guest"];

    [Theory]
    [MemberData(nameof(Domains))]
    public void All_virtual_CPUs_work(string domain) => AllWork($"{domain} at first");

    /// <summary>In Domain-0 two programs compute meanwhile; what they work on goes along to CPUs that stay.</summary>
    [Theory]
    [MemberData(nameof(Domains))]
    public void Virtual_CPUs_go_and_come_back_and_the_kernel_follows(string domain)
    {
        Assert.Equal(
            ["1: 0, 1 up", "4: 0-3, 4 up", "2: 0-1, 2 up", "3: 0-2, 3 up", "4: 0-3, 4 up"], steps.Lines($"{domain} set to"));
        AllWork($"{domain} in the end");
    }

    [Fact]
    public void Domain_0s_kernel_has_nothing_to_complain_about() => Assert.Empty(steps.Lines("complaint"));

    /// <summary>
    /// Nearly none: a CPU that is asleep has to be woken first, which takes its time where the emulator's host is busy.
    /// </summary>
    [Theory]
    [MemberData(nameof(Domains))]
    public void No_time_is_stolen_where_nobody_else_computes(string domain) =>
        Assert.InRange(Stolen($"{domain} alone", 1), 0, 0.25);

    /// <summary>Four virtual CPUs that compute on two CPUs; one, and a guest that computes as well, on one CPU.</summary>
    [Theory]
    [InlineData("Domain-0 overbooked", Vcpus)]
    [InlineData("guest beside another", 1)]
    public void Half_the_time_is_stolen_where_there_is_half_a_CPU_for_each(string label, int computing) =>
        Assert.InRange(Stolen(label, computing), 0.4, 0.6);

    private void AllWork(string label) => Assert.Equal(
        Enumerable.Range(0, Vcpus).Select(cpu => $"cpu{cpu} {Sum()} busy"), steps.Lines(label));

    /// <summary>What the programs under test compute.</summary>
    private static int Sum()
    {
        int sum = 0;
        for (int i = 0; i < 20_000; i++)
        {
            sum = ((sum * 31) + i) % 65521;
        }

        return sum;
    }

    /// <summary>
    /// From two looks at the clock and at a line of /proc/stat: stolen time by the time that passed for those virtual CPUs
    /// that compute. The kernel never has more to account for than that.
    /// </summary>
    private double Stolen(string label, int computing)
    {
        double[] spent = [.. Look($"{label} after").Zip(Look($"{label} before"), (late, early) => late - early)];
        double passed = spent[0] * TicksPerSecond * computing;

        // Behind the seconds: user, nice, system, idle, waiting, interrupts, soft interrupts, stolen.
        double ran = spent[1] + spent[2] + spent[3] + spent[6] + spent[7];
        Assert.InRange((ran + spent[8]) / passed, 0, 1.25);
        return spent[8] / passed;
    }

    private double[] Look(string label) =>
    [
        .. steps.Line(label).Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => !word.StartsWith("cpu")).Take(9)
            .Select(word => double.Parse(word, CultureInfo.InvariantCulture)),
    ];

    /// <summary>All steps, one after the other.</summary>
    public sealed class Steps() : ScriptRun(
        new MachineOptions
        {
            Loader = LoaderKind.Kernel,
            Cpus = 2,
            HypervisorArguments = "dom0_max_vcpus=4",
            KernelArguments = "xt.devices=off rcupdate.rcu_cpu_stall_timeout=200",
        },
        Script,
        "vcpus",
        TimeSpan.FromMinutes(10))
    {
        private const string Script = """
            set +e
            # For both kernels: "work LABEL" has each virtual CPU compute and looks whether the kernel has it in its account;
            # "follow COUNT" does what udev does where there is one: a CPU that comes is put into use.
            cat >/run/steps <<'END'
            online=/sys/devices/system/cpu/online
            busy() { awk -v cpu=cpu$1 '$1 == cpu { print $2 + $4 }' /proc/stat; }
            case $1 in
            work)
                for cpu in $(sed -n 's/^cpu\([0-9][0-9]*\) .*/\1/p' /proc/stat); do
                    before=$(busy $cpu)
                    sum=$(taskset $(printf %x $((1 << cpu))) \
                        awk 'BEGIN { for (i = 0; i < 20000; i++) s = (s * 31 + i) % 65521; print s }')
                    [ $(busy $cpu) -gt $before ] && echo "$2 cpu$cpu $sum busy" || echo "$2 cpu$cpu $sum idle"
                done
                ;;
            follow)
                [ $2 = 1 ] && range=0 || range=0-$(($2 - 1))
                until [ $(cat $online) = $range ]; do
                    for cpu in $(seq 1 $(($2 - 1))); do echo 1 >/sys/devices/system/cpu/cpu$cpu/online; done 2>/dev/null
                    usleep 100000
                done
                cat $online
                ;;
            esac
            END
            # The first CPU's account, or everybody's. The others were out meanwhile, which Linux takes for stolen time and
            # puts into their accounts bit by bit when they are back.
            look='echo "$(cut -d " " -f 1 /proc/uptime) $(grep "^cpu0 " /proc/stat)"'
            look_at_all='echo "$(cut -d " " -f 1 /proc/uptime) $(grep "^cpu " /proc/stat)"'
            compute() { taskset $1 sh -c 'while :; do :; done' & }
            # Debian's tool can do it as well.
            set_to() { [ $2 = 2 ] && xl vcpu-set $1 $2 || xm vcpu-set $1 $2; }
            up() { xm vcpu-list $1 | grep -c '[0-9] *[-r][-b]- '; }

            # Domain-0.
            sh /run/steps work 'Domain-0 at first'
            compute f; compute f
            for count in 1 4 2 3 4; do
                set_to 0 $count
                now=$(timeout 120 sh /run/steps follow $count)
                wait_for "[ \$(up 0) = $count ]"
                echo "Domain-0 set to $count: $now, $(up 0) up"
            done
            kill $(jobs -p)
            sh /run/steps work 'Domain-0 in the end'
            compute 1
            sleep 1; echo "Domain-0 alone before $(eval "$look")"; sleep 2; echo "Domain-0 alone after $(eval "$look")"
            compute 2; compute 4; compute 8
            sleep 1; echo "Domain-0 overbooked before $(eval "$look_at_all")"
            sleep 4; echo "Domain-0 overbooked after $(eval "$look_at_all")"
            kill $(jobs -p)
            dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|soft lockup|rcu: INFO:' | sed 's/^/complaint /'

            # A stock guest.
            sed 's/^name.*/name = "guest"/; s/^vcpus.*/vcpus = 4/' /etc/xen/xmexample1 >/run/guest.cfg
            xm create -q /run/guest.cfg
            xenstore-read /local/domain/$(xm domid guest)/console/tty >/run/guest.tty
            wait_for "said guest | grep 'GUEST IS UP'"
            base64 -w 200 /run/steps | while read -r piece; do type_to guest "echo $piece >>/text"; sleep 0.2; done
            type_to guest 'base64 -d /text >/steps'
            at_work() { type_to guest "sh /steps work 'guest $1'"; wait_for "[ \$(said guest | grep -c '^guest $1 cpu') = 4 ]"; }
            at_work 'at first'
            round=0
            for count in 1 4 2 3 4; do
                round=$((round + 1))
                set_to guest $count
                type_to guest "echo round $round has \$(sh /steps follow $count)"
                wait_for "said guest | grep '^round $round has [0-9]'"
                wait_for "[ \$(up guest) = $count ]"
                echo "guest set to $count: $(said guest | sed -n "s/^round $round has \([0-9].*\)/\1/p"), $(up guest) up"
            done
            at_work 'in the end'
            xm vcpu-set guest 1
            wait_for "[ \$(up guest) = 1 ]"
            xm vcpu-pin 0 all 0; xm vcpu-pin guest all 1
            measure() {
                type_to guest "echo guest $1 before \$($look); sleep $2; echo guest $1 after \$($look)"
                wait_for "said guest | grep '^guest $1 after [0-9]'"
            }
            type_to guest 'while :; do :; done & sleep 1'
            measure alone 2
            make s1 s
            xm vcpu-pin s1 all 1
            measure 'beside another' 5
            said guest | grep -E '^guest (at first|in the end) cpu|^guest (alone|beside another) (before|after) [0-9]'
            set -e
            """;
    }
}
