// SPDX-License-Identifier: MIT
using System.Globalization;
using Xt.Machine;

namespace Image.Tests;

/// <summary>The sudden end of Domain-0's processes in the middle of what they do.</summary>
internal static class Interruption
{
    /// <summary>What is killed: the command itself, or a process of the daemon.</summary>
    public static readonly string[] Victims =
    [
        "$command", "$(cat /run/xend/domains.pid)", "$(cat /run/xend/store.pid)", "$(cat /run/xend/backends.pid)",
        "$(cat /run/xend/supervisor.pid)",
    ];

    /// <summary>Runs a command and kills something after so many tenths of a second; returns the command's status.</summary>
    public static int Kill(Dom0Session dom0, string command, string victim, int tenths) => dom0.Run(
        string.Create(CultureInfo.InvariantCulture,
            $"{command} & command=$!; sleep {tenths / 10}.{tenths % 10}; kill -9 {victim}; wait $command"), 300).Status;

    /// <summary>Waits until the daemon runs and has dealt with what a killed command left.</summary>
    public static void Settle(Dom0Session dom0) => _ = dom0.Require(
        "for i in $(seq 90); do sleep 1; xend status >/dev/null && test -z \"$(ls /run/xend/transfers)\" && exit 0; done; "
            + "xend status; ls -l /run/xend/transfers; xm list; xm log | tail; exit 1", 300);
}
