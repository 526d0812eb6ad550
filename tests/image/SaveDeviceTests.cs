// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A guest with a disk and a network that works on while it is saved, restored, and while commands are killed.</summary>
[Collection(SessionCollection.Name)]
public sealed class SaveDeviceTests(SessionPool pool)
{
    private const int LongRounds = 20;
    private const string Folder = "/mnt/saved";
    private const string File = Folder + "/file";
    private const string Name = GuestWork.Name;

    [Theory]
    [Hypervisors]
    public void A_guest_with_devices_works_on_through_saving_and_restoring(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            GuestWork work = Start(dom0, "xm");
            _ = dom0.Require($"xm save -c {Name} {File} && rm {File}", 300);
            work.RequireProgress();

            // Each tool takes what the other wrote.
            foreach (string restorer in new[] { "xm", "xl" })
            {
                string saved = dom0.Require($"xm save {Name} {File} && xm save-verify {File} && losetup -a && ls /sys/class/net",
                    300);
                Assert.Contains("disk           format=raw,vdev=xvda,access=w,target=/tmp/works.img", saved);
                Assert.Contains("all checksums are right", saved);
                Assert.DoesNotContain("loop0", saved);
                Assert.DoesNotContain("vif1", saved);
                _ = dom0.Require($"{restorer} restore {File} && rm {File}", 300);
                work.RequireProgress();
            }

            _ = dom0.Require($"xl save {Name} {File}", 300);
            _ = dom0.Require($"xm restore {File} && rm {File}", 300);
            work.RequireProgress();

            // Suspended for a command that is killed, it runs on, and nothing of the file stays.
            _ = dom0.Require($"xm save {Name} {File} & command=$!; until ls {Folder} | grep -q part; do sleep 0.1; done; "
                + "until xm list | grep -q 's-- '; do sleep 0.1; done; kill -9 $command; "
                + $"until xm list | grep -q '{Name}.*[rb-][b-]---- '; do sleep 0.5; done; ls {Folder} | grep -q . && exit 1; exit 0",
                120);
            work.RequireProgress();
            End(dom0, work);
        });

    [LongTheory]
    [Hypervisors]
    public void Guests_with_devices_go_both_ways_between_xm_and_xl(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            GuestWork work = Start(dom0, "xl");
            _ = dom0.Require($"xl save {Name} {File}", 300);
            _ = dom0.Require($"xm restore {File} && rm {File}", 300);
            work.RequireProgress();
            _ = dom0.Require($"xm save {Name} {File}", 300);
            _ = dom0.Require($"xl restore {File} && rm {File}", 300);
            work.RequireProgress();
            End(dom0, work, "xl");
        });

    [LongFact]
    public void Whatever_is_killed_in_the_middle_of_saving_and_restoring_the_guest_works_on() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            GuestWork work = Start(dom0, "xm");
            Random random = new(6);
            for (int round = 0; round < LongRounds; round++)
            {
                string victim = Interruption.Victims[round % Interruption.Victims.Length];
                _ = Interruption.Kill(dom0, $"xm save {Name} {File}", victim, random.Next(0, 50));
                if (dom0.Run($"test -e {File}").Status != 0)
                {
                    // It was killed before its end: the guest is where it was.
                    Interruption.Settle(dom0);
                    work.RequireProgress();
                    _ = dom0.Require($"xm save {Name} {File}", 300);
                }

                _ = dom0.Require($"for i in $(seq 60); do xm domid {Name} >/dev/null 2>&1 || exit 0; sleep 0.5; done; "
                    + $"xm destroy {Name}", 120);
                victim = Interruption.Victims[random.Next(Interruption.Victims.Length)];
                _ = Interruption.Kill(dom0, $"xm restore {File}", victim, random.Next(0, 50));
                Interruption.Settle(dom0);
                if (dom0.Run($"xm domid {Name}").Status != 0)
                {
                    _ = dom0.Require($"xm restore {File}", 300);
                }

                _ = dom0.Require($"rm {File}; xm unpause {Name} 2>/dev/null; true");
                work.RequireProgress();
            }

            End(dom0, work);
        });

    private static GuestWork Start(Dom0Session dom0, string tool)
    {
        _ = dom0.Require($"mkdir -p {Folder} && mount -t tmpfs -o size=200m none {Folder}");
        return GuestWork.Start(dom0, tool);
    }

    private static void End(Dom0Session dom0, GuestWork work, string tool = "xm")
    {
        work.End(tool);
        _ = dom0.Require($"umount {Folder}");
    }
}
