// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Xt;

namespace Image.Tests;

/// <summary>
/// The micro guest <c>load</c> (tests/guests/load) as a domain beside Domain-0: shell functions for scripts, and the
/// file that they want there.
/// </summary>
internal static class LoadGuest
{
    /// <summary>
    /// <c>make NAME KIND [LINE…]</c> creates one, with more lines for its configuration, by $tool, or xm. <c>ask NAME</c> has it
    /// answer on its console and prints the answer. <c>window LABEL NAME…</c> waits for the end of the next window that
    /// begins and prints what each of them says of it. <see cref="Numbers"/> reads either. <c>turns NAME LABEL</c> asks and
    /// prints turns only. For any guest: <c>said NAME</c> is its console's log, <c>type_to NAME LINE</c> types a line, <c>text NAME
    /// WORD</c> prints the last number that it said after a word. <c>wait_for CONDITION</c> gives up after 150 s.
    /// </summary>
    public const string Functions = """
        make() {
            local name=$1 kind=$2
            shift 2
            printf '%s\n' "name='$name'" "kernel='/boot/load.elf'" memory=16 "extra='$kind'" "$@" >/run/$name.cfg
            ${tool:-xm} create -q /run/$name.cfg
            xenstore-read /local/domain/$(xm domid $name)/console/tty >/run/$name.tty
        }
        said() { tr -d '\r' 2>/dev/null </var/log/xen/console/guest-$1.log; }
        ask() {
            local tty before now try
            before=$(said $1 | wc -l)
            read -r tty </run/$1.tty
            printf x >$tty
            for try in $(seq 500); do
                now=$(said $1 | wc -l)
                [ $now -gt $before ] && { said $1 | tail -n 1; return; }
                sleep 0.05
            done
            echo "$1 does not answer"
            return 1
        }
        turns() { ask $1 | awk -v label="$2" '{ print label, $2 }'; }
        text() { said $1 | sed '$d' | grep -o "$2 [0-9]*" | tail -n 1; }
        wait_for() {
            local try
            for try in $(seq 300); do
                eval "$1" >/dev/null 2>&1 && return
                sleep 0.5
            done
            echo "not so: $1"
            exit 1
        }
        type_to() {
            local tty
            read -r tty </run/$1.tty
            printf '%s\n' "$2" >$tty
        }
        window() {
            local label=$1 name number try
            shift
            number=$(said $1 | awk '/begin/ { n++ } END { print n + 1 }')
            sleep 3
            for name in "$@"; do
                for try in $(seq 50); do
                    said $name | awk -v number=$(said $1 | awk -v nth=$number '/begin/ && ++n == nth { print $2 }') \
                        '/end/ && $2 == number' >/run/line
                    [ -s /run/line ] && { echo "$label $name $(cat /run/line)"; break; }
                    sleep 1
                done
            done
        }

        """;

    /// <summary>Where the functions expect the kernel, and where it is on the host.</summary>
    public static IReadOnlyDictionary<string, string> Programs { get; } = new Dictionary<string, string>
    {
        ["boot/load.elf"] = Path.Combine(Workspace.MicroGuests, "load.elf"),
    };

    /// <summary>Nanoseconds of a window that count.</summary>
    public const double Window = 3e9;

    /// <summary>The five numbers of an answer: turns or ticks, worst and summed delay of ticks, nanoseconds run, system
    /// time; of a window the same without its number, and in the time's place what it lasted by the guest's looks at the clock.
    /// </summary>
    public static (double Turns, double Worst, double Delays, double Ran, double Time) Numbers(string answer)
    {
        double[] numbers = Array.ConvertAll(
            answer.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^5..],
            text => double.Parse(text, CultureInfo.InvariantCulture));
        return (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    }
}
