// SPDX-License-Identifier: MIT
using System;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>The daemon with real guests: consoles, what happens when they stop, and its own sudden end.</summary>
[Collection(XendCollection.Name)]
public sealed class XendTests(SessionPool pool)
{
    private const string LeaveConsole = "\x1d";
    private const string Example = "/etc/xen/xmexample1";

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(90);

    /// <summary>Waits in Domain-0 until a command succeeds.</summary>
    private static void Until(Dom0Session dom0, string condition, int seconds = 240) => _ = dom0.Require(
        $"for i in $(seq {seconds}); do {condition} >/dev/null 2>&1 && exit 0; sleep 1; done; "
            + $"echo 'never true: {condition.Replace("'", "", StringComparison.Ordinal)}'; xm list; xm log | tail -30; exit 1",
        (seconds * 2) + 60);

    private static void UntilUp(Dom0Session dom0, string name) =>
        Until(dom0, $"grep -q 'GUEST IS UP' /var/log/xen/console/guest-{name}.log");

    [Theory]
    [Hypervisors]
    public void Three_guests_run_at_once_and_each_console_is_replayed_to_whoever_comes_late(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require("rm -f /var/log/xen/console/*; xend status");
            foreach (int number in new[] { 1, 2, 3 })
            {
                _ = dom0.Require($"xm create -q {Example} name=three{number} memory=96", 120);
            }

            foreach (int number in new[] { 1, 2, 3 })
            {
                UntilUp(dom0, $"three{number}");
            }

            Assert.Equal(3, Regex.Count(dom0.Require("xm list"), "(?m)^three"));
            foreach (int number in new[] { 2, 1 })
            {
                dom0.Start($"xm console three{number}");
                dom0.WaitFor("GUEST IS UP", s_answer);
                dom0.Type($"echo $((100 + {number})) is said\n");
                dom0.WaitFor($"{100 + number} is said", s_answer);
                dom0.Type(LeaveConsole);
                Assert.Equal(0, dom0.Finish());
            }

            // Another program may use the terminal at the same time, and what a guest said outlives it.
            Assert.Matches("^/dev/pts/", dom0.Require("xenstore-read /local/domain/$(xm domid three3)/console/tty"));
            _ = dom0.Require("xm destroy three1; xm destroy three2; xm destroy three3");
            Assert.Contains("101 is said", dom0.Require("timeout 20 xm console three1 </dev/null"));
            Assert.DoesNotContain("three", dom0.Require("xm list"));
        });

    [Theory]
    [Hypervisors]
    public void A_guest_that_stops_unattended_is_dealt_with_as_its_configuration_says(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"rm -f /var/log/xen/console/*; xm create -q {Example} name=ends on_reboot=restart "
                + "on_crash=rename-restart on_poweroff=destroy extra='console=hvc0 quiet sysrq_always_enabled'", 120);
            UntilUp(dom0, "ends");
            string first = dom0.Require("xm domid ends").Trim();
            _ = dom0.Require("xm reboot ends");
            Until(dom0, $"test $(xm domid ends) -gt {first}");
            Until(dom0, "test $(grep -c 'GUEST IS UP' /var/log/xen/console/guest-ends.log) -ge 2");

            // Crashed, it is kept under another name, and a new one takes its place.
            _ = dom0.Require("xm sysrq ends c");
            Until(dom0, "test \"$(xm domstate ends-1)\" = crashed");
            UntilUp(dom0, "ends");
            Assert.Contains("sysrq", dom0.Require("cat /var/log/xen/console/guest-ends-1.log"),
                StringComparison.OrdinalIgnoreCase);
            _ = dom0.Require("xm shutdown ends");
            Until(dom0, "! xm domid ends");
            _ = dom0.Require("xm destroy ends-1");
            Assert.DoesNotContain("ends", dom0.Require("xm list"));
        });

    [Theory]
    [Hypervisors]
    public void Guests_and_console_sessions_outlive_every_process_of_the_daemon(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"rm -f /var/log/xen/console/*; xm create -q {Example} name=outlives", 120);
            UntilUp(dom0, "outlives");
            dom0.Start("(sleep 3; kill -9 $(cat /run/xend/domains.pid)) & xm console outlives");
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type("sleep 6; echo $((7 * 11)) after the kill\n");
            dom0.WaitFor("77 after the kill", s_answer);
            dom0.Type(LeaveConsole);
            Assert.Equal(0, dom0.Finish());
            // As after an upgrade of the package: the file is another one when the processes start again.
            _ = dom0.Require("cp /usr/sbin/xend /usr/sbin/xend.next && mv /usr/sbin/xend.next /usr/sbin/xend");
            string killed = dom0.Require("kill -9 $(cat /run/xend/store.pid) $(cat /run/xend/backends.pid); sleep 3; "
                + "xm list; kill -9 $(cat /run/xend/supervisor.pid); sleep 3; xend status");
            Assert.Matches(@"(?m)^outlives +\d", killed);
            Assert.Contains("supervisor runs", killed);
            Assert.Contains("store      runs", killed);
            Assert.DoesNotContain("deleted", dom0.Require("readlink /proc/$(tr -d ' ' </run/xend/store.pid)/exe"));
            Assert.Contains("backends   runs", killed);
            Assert.Contains("domains    runs", killed);
            _ = dom0.Require("xm shutdown outlives");
            Until(dom0, "! xm domid outlives");
        });

    /// <summary>
    /// Each process is killed in the midst of building and of destroying a domain with devices, each time a little later.
    /// Host tests do it at every step; this one shows that real processes, sockets and drivers behave as theirs do.
    /// </summary>
    [Theory]
    [Hypervisors]
    public void Killing_any_process_at_any_moment_leaves_domains_whole_or_gone(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require("dd if=/dev/zero of=/tmp/kill.img bs=1M count=1; sed 's/^name.*/name = \"killed\"/' "
                + $"{Example} >/tmp/kill; echo \"disk = ['file:/tmp/kill.img,xvda,w']\" >>/tmp/kill; "
                + "echo \"vif = ['bridge=brkill']\" >>/tmp/kill");
            _ = dom0.Require(
                """
                exec 2>&1
                # Answers come from the process of the domains, and say that it has recovered.
                ready() { until xend status && xm start nothing 2>&1 | grep -q 'no definition'; do sleep 0.2; done >/dev/null; }
                gone() { for i in $(seq 120); do xm domid killed >/dev/null 2>&1 || return 0; sleep 0.5; done; return 1; }
                for role in store backends domains; do
                    for wait in 0.3 1.1; do
                        xm create -q -p /tmp/kill & create=$!
                        sleep $wait; kill -9 $(cat /run/xend/$role.pid); wait $create; created=$?
                        ready
                        # Whole or gone, as xm said.
                        if [ $created = 0 ]; then xm domid killed || { echo "lost: $role $wait"; exit 1; }
                        else
                            gone || { echo "half made: $role $wait"; exit 1; }
                            xm create -q -p /tmp/kill || { echo "refused: $role $wait"; exit 1; }
                        fi
                        xm destroy killed & destroy=$!
                        sleep 0.$((RANDOM % 5)); kill -9 $(cat /run/xend/$role.pid); wait $destroy
                        ready
                        xm destroy killed
                        gone || { echo "still there: $role $wait"; exit 1; }
                    done
                done
                """, 900);
            Until(dom0, "test -z \"$(ls /run/xend/domains)$(ls /sys/class/net | grep vif)\"");
            Assert.DoesNotContain("killed", dom0.Require("xenstore-ls -f / | grep -v '^/local/domain/0/control'; xm list"));
            _ = dom0.Require("ip link set brkill down; ip link delete brkill; rm /tmp/kill /tmp/kill.img");
        });

    [LongFact]
    public void Killing_any_process_while_a_guest_shuts_down_leaves_nothing_of_it() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            foreach (string role in new[] { "store", "backends", "domains" })
            {
                foreach (string wait in new[] { "0", "0.4", "1.2" })
                {
                    _ = dom0.Require($"rm -f /var/log/xen/console/*; xm create -q {Example} name=ending", 120);
                    UntilUp(dom0, "ending");
                    _ = dom0.Require($"xm shutdown ending; sleep {wait}; kill -9 $(cat /run/xend/{role}.pid)");
                    Until(dom0, "! xm domid ending");
                    Until(dom0, "test -z \"$(ls /run/xend/domains)\"");
                }
            }

            Assert.DoesNotContain("ending", dom0.Require("xenstore-ls -f / | grep -v '^/local/domain/0/control'; xm list"));
        });

    [Theory]
    [Hypervisors]
    public void The_hosts_guests_are_started_and_ended_with_it(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require("rm -f /var/log/xen/console/*; mkdir -p /etc/xen/auto; "
                + $"sed 's/ExampleDomain/auto1/; s/on_poweroff.*/on_poweroff = \"restart\"/' {Example} >/etc/xen/auto/one; "
                + "xend autostart", 120);
            UntilUp(dom0, "auto1");
            _ = dom0.Require("rm -r /etc/xen/auto; xend autostop", 180);
            Assert.DoesNotContain("auto1", dom0.Require("xm list"));

            // The daemon was told that the host stops; it starts anew for the tests to come.
            _ = dom0.Require("old=$(cat /run/xend/domains.pid); kill $old; "
                + "while [ \"$(cat /run/xend/domains.pid)\" = $old ]; do sleep 1; done; xend autostart", 120);
        });

    [Theory]
    [Hypervisors]
    public void A_domain_can_be_registered_started_and_forgotten(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"xm new {Example} name=kept");
            Assert.Matches(@"(?m)^kept +128 +1 +0\.0$", dom0.Require("xm list"));
            _ = dom0.Require("xm start -p kept", 120);
            Assert.Matches(@"(?m)^kept +\d+ +128 +1 +--p--- +0\.0$", dom0.Require("xm list"));
            _ = dom0.Require("xm destroy kept; xm delete kept");
            Assert.DoesNotContain("kept", dom0.Require("xm list"));
        });

    [Theory]
    [Hypervisors]
    public void A_registered_domain_is_suspended_and_resumed(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require("rm -f /var/log/xen/console/*; mkdir -p /var/lib/xend/suspended; "
                + "mount -t tmpfs -o size=150m none /var/lib/xend/suspended; "
                + $"xm new {Example} name=sleeper memory=96; xm start sleeper", 120);
            UntilUp(dom0, "sleeper");
            const string Say = "printf 'n=$((n + 20)); echo said $n\\n' >$(xenstore-read "
                + "/local/domain/$(xm domid sleeper)/console/tty)";
            _ = dom0.Require(Say);
            Until(dom0, "grep -q '^said 20' /var/log/xen/console/guest-sleeper.log");
            Assert.Contains("Suspended domain sleeper", dom0.Require("xm suspend sleeper", 180));
            Assert.Matches(@"(?m)^sleeper +96 +1 +0\.0$", dom0.Require("xm list"));
            Assert.NotEqual(0, dom0.Run("xm start sleeper").Status);
            Assert.Contains("Resumed domain sleeper", dom0.Require("xm resume sleeper", 180));
            _ = dom0.Require(Say);
            Until(dom0, "grep -q '^said 40' /var/log/xen/console/guest-sleeper.log");
            _ = dom0.Require("xm destroy sleeper; xm delete sleeper; test -z \"$(ls /var/lib/xend/suspended)\" "
                + "&& umount /var/lib/xend/suspended");
        });

    /// <summary>A stand-in for pygrub, which wants a Python: it takes the kernel from the disk as a user of its own.</summary>
    [Theory]
    [Hypervisors]
    public void A_boot_loader_finds_the_kernel_on_the_guests_disk(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require(
                """
                rm -f /var/log/xen/console/*
                tar cf /tmp/boot.img -C /boot vmlinuz guest-ramdisk
                cat >/tmp/loader <<'END'
                #!/bin/sh
                for disk; do case $disk in --output=*) out=${disk#*=};; --output-directory=*) dir=${disk#*=};; esac; done
                tar xf $disk -C $dir || exit 3
                args="console=hvc0 loader.user=$(id -u) loader.writes=$( (echo >>$disk) 2>/dev/null && echo yes || echo no)"
                printf 'kernel %s\0ramdisk %s\0args %s\0' $dir/vmlinuz $dir/guest-ramdisk "$args" >$out
                END
                chmod 755 /tmp/loader
                printf '%s\n' 'name = "loaded"' 'memory = 96' 'bootloader = "/tmp/loader"' \
                    'disk = ["file:/tmp/boot.img,xvda,r"]' >/tmp/loaded
                xm create -q /tmp/loaded
                """, 180);
            UntilUp(dom0, "loaded");
            Assert.Matches(@"Command line: console=hvc0 loader\.user=19\d{8} loader\.writes=no",
                dom0.Require("cat /var/log/xen/console/guest-loaded.log"));
            _ = dom0.Require("xm destroy loaded; test -z \"$(ls /var/lib/xen/boot)\"");
            (int status, string refusal) = dom0.Run("xm create -q /tmp/loaded bootloader=pygrub 2>&1");
            Assert.Equal(1, status);
            Assert.Contains("pygrub is not installed", refusal);
            Assert.Contains("apt install xen-utils-4.17", refusal);
            Until(dom0, "! losetup -a | grep -q boot.img");
            _ = dom0.Require("rm /tmp/boot.img /tmp/loader /tmp/loaded");
        });

    [Theory]
    [Hypervisors]
    public void Debians_programs_for_the_store_work_with_ours(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => Assert.Equal(
            "a b\none\n/tools-test/a = \"one\"\n/tools-test/b = \"two\"\n(n0,r5)\nevents: /tools-test /tools-test/c\ngone\n",
            dom0.Require(
                """
                test -e /run/xend/store.pid || exit 9
                xenstore-write /tools-test/a one /tools-test/b two
                echo $(xenstore-list /tools-test)
                xenstore-read /tools-test/a
                xenstore-ls -f /tools-test
                xenstore-chmod /tools-test/b n0 r5
                xenstore-ls -fp /tools-test | grep -o '(n0,r5)'
                xenstore-watch -n 2 /tools-test >/tmp/events & watch=$!
                until [ -s /tmp/events ]; do sleep 0.2; done
                xenstore-write /tools-test/c three
                wait $watch; echo events: $(cat /tmp/events)
                xenstore-rm /tools-test
                xenstore-exists /tools-test || echo gone
                """)));

    [Theory]
    [Hypervisors]
    public void A_guests_memory_is_dumped_in_the_form_that_tools_know(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"rm -f /var/log/xen/console/*; xm create -q {Example} name=dumped memory=96", 120);
            UntilUp(dom0, "dumped");

            // Domain-0's root has less room than a guest has memory.
            string dumped = dom0.Require("mkdir -p /tmp/dump; mount -t tmpfs -o size=120m none /tmp/dump; "
                + "xm dump-core dumped /tmp/dump/core; head -c 4 /tmp/dump/core; umount /tmp/dump", 240);
            Assert.Matches(@"^Dumped 2\d{4} pages of dumped to /tmp/dump/core\n\x7fELF", dumped);
            _ = dom0.Require("xm destroy dumped");
        });

    [Theory]
    [Hypervisors]
    public void Ten_domains_created_paused_and_destroyed_leave_nothing(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => CreateAndDestroy(dom0, 10));

    [LongFact]
    public void Fifty_domains_created_paused_and_destroyed_leave_nothing() =>
        pool.Use(HypervisorKind.Ours, dom0 => CreateAndDestroy(dom0, 50));

    private static void CreateAndDestroy(Dom0Session dom0, int count)
    {
        string once = $"xm create -q -p {Example} name=cycle && xm destroy cycle";
        _ = dom0.Require(once, 120);
        string nodes = dom0.Require("xenstore-ls -f / | grep -v '^/local/domain/0/\\|^/tool' | cut -d= -f1");
        long free = GuestTests.FreeKilobytes(dom0);
        _ = dom0.Require($"for i in $(seq {count}); do {once} || exit 1; done", 60 * count);
        Assert.Equal(nodes, dom0.Require("xenstore-ls -f / | grep -v '^/local/domain/0/\\|^/tool' | cut -d= -f1"));
        Assert.Equal(free, GuestTests.FreeKilobytes(dom0));
        Assert.Equal("", dom0.Require("ls /run/xend/domains"));
    }
}
