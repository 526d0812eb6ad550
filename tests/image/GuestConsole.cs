// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using Xt.Machine;

namespace Image.Tests;

/// <summary>The shell on the console of a guest, without a terminal between: typed to by its tty, read from xend's log.</summary>
internal sealed class GuestConsole(Dom0Session dom0, string name)
{
    private int _number = 1000;
    private string _size = "";

    /// <summary>Where xend writes what the guest says.</summary>
    public string Log => $"/var/log/xen/console/guest-{name}.log";

    /// <summary>Waits in Domain-0 until a command succeeds.</summary>
    public void Until(string condition, int seconds = 200) => _ = dom0.Require(
        $"for i in $(seq {seconds}); do {condition} >/dev/null 2>&1 && exit 0; sleep 1; done; "
            + $"xm list; xm block-list {name}; xm network-list {name}; tail -20 {Log}; dmesg | tail; xm log | tail; exit 1",
        (seconds * 2) + 30);

    /// <summary>Waits until the guest is up for the first time, or, counted, once more.</summary>
    public void UntilUp(int times = 1) => Until($"test $(grep -c 'GUEST IS UP' {Log}) = {times}");

    /// <summary>Types a line and waits until the guest has done it; returns what it said meanwhile.</summary>
    public string Run(string line, int seconds = 200)
    {
        Begin(line);
        return End(seconds);
    }

    /// <summary>Types a line.</summary>
    public void Begin(string line)
    {
        string number = (++_number).ToString(CultureInfo.InvariantCulture);
        _size = dom0.Require($"stat -c %s {Log}").Trim();
        _ = dom0.Require($"printf '%s\\n' '{line.Replace("'", "'\\''", StringComparison.Ordinal)}' "
            + $"'echo $(({number} + 1000)) is done' >$(xenstore-read /local/domain/$(xm domid {name})/console/tty)");
    }

    /// <summary>Waits until the guest has done what was typed last; returns what it said meanwhile.</summary>
    public string End(int seconds = 200)
    {
        string done = $"{_number + 1000} is done";
        Until($"tail -c +{_size} {Log} | grep -q '^{done}'", seconds);
        string said = dom0.Require($"tail -c +{_size} {Log}").Replace("\r", "", StringComparison.Ordinal);

        // The log has the typed lines as well; only what stands between the echo and the answer was said.
        return said[..said.IndexOf("\n" + done, StringComparison.Ordinal)];
    }
}
