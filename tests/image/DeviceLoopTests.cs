// SPDX-License-Identifier: MIT
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Devices of a guest that works come and go, again and again, while Domain-0's processes are killed in the middle, each time a
/// little later. A command that was killed may leave its device there or not; it can always be taken away and made again.
/// </summary>
[Collection(SessionCollection.Name)]
public sealed class DeviceLoopTests(SessionPool pool)
{
    private const int Rounds = 10;
    private const int RoundsBetweenLooks = 3;
    private const string Name = GuestWork.Name;
    private const string DiskFile = "/tmp/loop.img";
    private const string Mac = "00:16:3e:00:00:07";

    private static readonly (string Attach, string Detach, string List, string Line)[] s_devices =
    [
        ($"xm block-attach {Name} file:{DiskFile} xvdc w", $"xm block-detach -f {Name} xvdc", $"xm block-list {Name}", "^51744 "),
        ($"xm network-attach {Name} mac={Mac} bridge=brworks", $"xm network-detach -f {Name} {Mac}", $"xm network-list {Name}", Mac),
    ];

    [LongFact]
    public void Devices_come_and_go_whatever_is_killed_in_the_middle() => pool.Use(HypervisorKind.Ours, dom0 =>
    {
        GuestWork work = GuestWork.Start(dom0, "xm");
        _ = dom0.Require($"dd if=/dev/zero of={DiskFile} bs=1M count=4");
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((string attach, string detach, string list, string line) in s_devices)
            {
                string victim = Interruption.Victims[round % Interruption.Victims.Length];
                int status = Interruption.Kill(dom0, attach, victim, round % 8);
                Interruption.Settle(dom0);
                if (status == 0)
                {
                    // What the command said to have done is there.
                    Until(dom0, $"{list} | grep -q '{line}.* 4 '", list);
                }

                _ = dom0.Run(detach, 60);
                Gone(dom0, list, line);
                _ = dom0.Require(attach, 60);
                Until(dom0, $"{list} | grep -q '{line}.* 4 '", list);
                _ = Interruption.Kill(dom0, detach, victim, round % 5);
                Interruption.Settle(dom0);
                _ = dom0.Run(detach, 60);
                Gone(dom0, list, line);
            }

            if (round % RoundsBetweenLooks == 0)
            {
                work.RequireProgress();
            }
        }

        work.RequireProgress();
        work.End("xm");
        _ = dom0.Require($"rm {DiskFile}");
    });

    private static void Gone(Dom0Session dom0, string list, string line) => Until(dom0,
        $"! {list} | grep -q '{line}' && ! losetup -a | grep -q {DiskFile} && ! xenstore-ls -f / | grep -q '51744\\|{Mac}' "
            + "&& test $(ls /sys/class/net | grep -c vif) = 1", $"{list}; losetup -a; ls /sys/class/net; xenstore-ls -f / | grep v[bi]");

    private static void Until(Dom0Session dom0, string condition, string explanation) => _ = dom0.Require(
        $"for i in $(seq 60); do {condition} && exit 0; sleep 1; done; {explanation}; xm log | tail; exit 1", 150);
}
