// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using Xt.Machine;

namespace Xt.Testing;

/// <summary>What Domain-0 said of itself when it was up (tools/Xt/Boot/init), and what is wrong with it.</summary>
public sealed partial record BootReport(IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Linux takes its own code, tables and bounce buffers off what it was given, as it does on Xen.</summary>
    private const int MostHidden = 140;

    private const int FirstYear = 2025;

    public static BootReport? In(string console)
    {
        Match match = Line().Match(console);
        if (!match.Success)
        {
            return null;
        }

        Dictionary<string, string> values = [];
        foreach (Match pair in Pair().Matches(match.Groups[1].Value))
        {
            values[pair.Groups[1].Value] = pair.Groups[2].Value;
        }

        return new BootReport(values);
    }

    /// <summary>Each fault in a sentence; nothing when all is as the machine should be.</summary>
    public IEnumerable<string> Faults(BootCase machine)
    {
        if (Number("cpus") != machine.Vcpus)
        {
            yield return $"Domain-0 has {Number("cpus")} vCPUs, and was given {machine.Vcpus}.";
        }

        if (Number("work") != machine.Vcpus)
        {
            yield return $"Of Domain-0's vCPUs {Number("work")} compute what they should.";
        }

        int megabytes = Number("kilobytes") / 1024;
        int given = machine.Options().Dom0MemoryMegabytes;
        if (megabytes > given || megabytes < given - MostHidden)
        {
            yield return $"Domain-0 sees {megabytes} MiB of the {given} MiB it was given.";
        }

        // Linux takes Xen's clock first, and the time stamp counter once that has proved steady.
        if (Values.GetValueOrDefault("clock") is not ("xen" or "tsc"))
        {
            yield return $"Domain-0's clock is {Values.GetValueOrDefault("clock")}.";
        }

        if (Values.GetValueOrDefault("acpi") != "yes")
        {
            yield return "Domain-0 did not find the ACPI tables.";
        }

        bool isEfi = machine.Loader == LoaderKind.Efi;
        if (Values.GetValueOrDefault("efi") != (isEfi ? "yes" : "no"))
        {
            yield return isEfi ? "Domain-0 does not know of its UEFI firmware." : "Domain-0 believes in UEFI firmware.";
        }

        if (Number("year") < FirstYear)
        {
            yield return $"Domain-0 believes that the year is {Number("year")}.";
        }

        if (Number("complaints") != 0)
        {
            yield return $"Linux complains ({Number("complaints")} lines).";
        }
    }

    private int Number(string name) =>
        int.TryParse(Values.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : -1;

    [GeneratedRegex(@"BOOTED ([^\n]*) END")]
    private static partial Regex Line();

    [GeneratedRegex(@"(\w+)=(\S*)")]
    private static partial Regex Pair();
}
