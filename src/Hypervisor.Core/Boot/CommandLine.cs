// SPDX-License-Identifier: MIT
// Options as users of Xen write them: words between blanks, name=value, a minus and an underscore in a name being one;
// booleans also as "no-name" and "name=off". Multiboot 1 loaders may put the program's name in front, and some menus a
// placeholder word instead: a first word that is no option and has no "=" is taken for that. The boot goes on whatever
// the user wrote: an unknown option or a malformed value leaves its default and is noted for one warning line.

using System;
using Hypervisor.Sched;

namespace Hypervisor.Core.Boot;

/// <summary>Parses the hypervisor's command line.</summary>
public static unsafe class CommandLine
{
    private enum Outcome
    {
        Done,
        Unknown,
        Malformed,
    }

    /// <summary>Fills <paramref name="options"/> with the defaults and what <paramref name="line"/> says.</summary>
    public static void Parse(BootText line, BootOptions* options)
    {
        *options = default;
        options->LogThreshold = (int)LogLevel.Info;
        options->LogLimitedThreshold = (int)LogLevel.Info;
        options->GuestLogThreshold = -1;
        options->GuestLogLimitedThreshold = (int)LogLevel.Warning;
        options->UseSmep = true;
        options->UseSmap = true;
        options->UseX2Apic = true;
        int position = 0;
        bool isFirst = true;
        while (NextWord(line, ref position, out BootText word))
        {
            if (word.Equals("--"u8))
            {
                SkipBlanks(line, ref position);
                options->Dom0Arguments = new BootText(line.Pointer + position, line.Length - position);
                return;
            }

            OptionText option = OptionText.Split(word);
            Outcome outcome = Apply(option, options);
            bool isProgramName = isFirst && outcome == Outcome.Unknown && !option.HasValue;
            isFirst = false;
            if (outcome != Outcome.Done && !isProgramName)
            {
                options->Warn(word, outcome == Outcome.Malformed);
            }
        }
    }

    private static Outcome Apply(OptionText option, BootOptions* options)
    {
        Outcome outcome = ApplyValue(option, options);
        return outcome != Outcome.Unknown ? outcome : ApplyBoolean(option, options);
    }

    private static Outcome ApplyValue(OptionText option, BootOptions* options)
    {
        if (option.Is("dom0_mem"u8))
        {
            return ToOutcome(Dom0Size.TryParseMemory(option.Value, options));
        }

        if (option.Is("dom0_max_vcpus"u8))
        {
            return ToOutcome(Dom0Size.TryParseVcpus(option.Value, options));
        }

        if (option.Is("com1"u8))
        {
            return ToOutcome(SerialLine.TryParse(option.Value, &options->Com1));
        }

        if (option.Is("com2"u8))
        {
            return ToOutcome(SerialLine.TryParse(option.Value, &options->Com2));
        }

        if (option.Is("console"u8))
        {
            return ToOutcome(ParseConsoles(option.Value, options));
        }

        if (option.Is("vga"u8))
        {
            return ToOutcome(ParseScreen(option.Value, options));
        }

        if (option.Is("loglvl"u8))
        {
            return ToOutcome(ParseLevel(option.Value, &options->LogThreshold, &options->LogLimitedThreshold));
        }

        if (option.Is("guest_loglvl"u8))
        {
            return ToOutcome(
                ParseLevel(option.Value, &options->GuestLogThreshold, &options->GuestLogLimitedThreshold));
        }

        if (option.Is("conring_size"u8))
        {
            return ToOutcome(ParseRingSize(option.Value, options));
        }

        if (option.Is("sched"u8))
        {
            return ToOutcome(ParseScheduler(option.Value, options));
        }

        if (option.Is("maxcpus"u8))
        {
            return ToOutcome(ParseMaxCpus(option.Value, options));
        }

        if (option.Is("mem"u8))
        {
            return ToOutcome(ParseMemoryLimit(option.Value, options));
        }

        // GRUB's own menu script writes these for every Xen; they concern real-mode services that are not used here.
        return option.Is("placeholder"u8) || option.Is("edd"u8) ? Outcome.Done : Outcome.Unknown;
    }

    private static Outcome ApplyBoolean(OptionText option, BootOptions* options)
    {
        bool ignored = false;
        bool* target = BooleanNamed(option, options, &ignored);
        bool negated = false;
        if (target == null && option.TryStripNo(out OptionText positive))
        {
            option = positive;
            negated = true;
            target = BooleanNamed(option, options, &ignored);
        }

        if (target == null)
        {
            return Outcome.Unknown;
        }

        bool value = true;
        if (option.HasValue && !TryParseBoolean(option.Value, out value))
        {
            return Outcome.Malformed;
        }

        *target = value != negated;
        return Outcome.Done;
    }

    /// <summary>Where a boolean option is kept; null for a name that is none.</summary>
    internal static bool* BooleanNamed(OptionText option, BootOptions* options, bool* ignored)
    {
        if (option.Is("dom0_vcpus_pin"u8))
        {
            return &options->Dom0VcpusPin;
        }

        if (option.Is("nosmp"u8))
        {
            return &options->NoSmp;
        }

        if (option.Is("noreboot"u8))
        {
            return &options->NoReboot;
        }

        if (option.Is("cpuinfo"u8))
        {
            return &options->CpuInfo;
        }

        if (option.Is("watchdog"u8))
        {
            return &options->Watchdog;
        }

        if (option.Is("smep"u8))
        {
            return &options->UseSmep;
        }

        if (option.Is("smap"u8))
        {
            return &options->UseSmap;
        }

        if (option.Is("x2apic"u8))
        {
            return &options->UseX2Apic;
        }

        if (option.Is("guest"u8))
        {
            return &options->Guest;
        }

        return option.Is("real_mode"u8) ? ignored : null;
    }

    private static bool ParseConsoles(BootText value, BootOptions* options)
    {
        ConsoleSet consoles = ConsoleSet.None;
        int position = 0;
        while (NextItem(value, ref position, out BootText item))
        {
            if (item.Equals("com1"u8))
            {
                consoles |= ConsoleSet.Com1;
            }
            else if (item.Equals("com2"u8))
            {
                consoles |= ConsoleSet.Com2;
            }
            else if (item.Equals("vga"u8) || item.Equals("tty"u8))
            {
                consoles |= ConsoleSet.Screen;
            }
            else if (!item.Equals("none"u8))
            {
                return false;
            }
        }

        options->Consoles = consoles;
        options->HasConsoles = value.Length > 0;
        return value.Length > 0;
    }

    private static bool ParseScreen(BootText value, BootOptions* options)
    {
        bool keep = false;
        int position = 0;
        while (NextItem(value, ref position, out BootText item))
        {
            if (item.Equals("keep"u8))
            {
                keep = true;
            }
            else if (!item.Equals("text-80x25"u8) && !item.Equals("current"u8))
            {
                return false;
            }
        }

        options->KeepScreen = keep;
        return value.Length > 0;
    }

    /// <summary>A level, or two with a slash: lines up to the first pass, further ones up to the second at a limited
    /// rate.</summary>
    private static bool ParseLevel(BootText value, int* level, int* limited)
    {
        int slash = TextNumber.IndexOf(value, (byte)'/');
        BootText first = slash < 0 ? value : new BootText(value.Pointer, slash);
        BootText second = slash < 0 ? value : new BootText(value.Pointer + slash + 1, value.Length - slash - 1);
        if (!TryNameLevel(first, out int always) || !TryNameLevel(second, out int atRate))
        {
            return false;
        }

        *level = always;
        *limited = atRate;
        return true;
    }

    private static bool ParseRingSize(BootText value, BootOptions* options)
    {
        MemoryAmount amount = default;
        if (!TextNumber.TryParseAmount(value, &amount) || amount.IsRemainder || amount.Bytes == 0)
        {
            return false;
        }

        options->LogRingSize = amount.Bytes;
        return true;
    }

    private static bool TryNameLevel(BootText text, out int level)
    {
        level = text.Equals("none"u8) ? -1
            : text.Equals("error"u8) ? (int)LogLevel.Error
            : text.Equals("warning"u8) ? (int)LogLevel.Warning
            : text.Equals("info"u8) ? (int)LogLevel.Info
            : text.Equals("debug"u8) || text.Equals("all"u8) ? (int)LogLevel.Debug
            : int.MinValue;
        return level != int.MinValue;
    }

    private static bool ParseScheduler(BootText value, BootOptions* options)
    {
        if (value.Equals("credit"u8))
        {
            options->Scheduler = PolicyId.Credit;
        }
        else if (value.Equals("sedf"u8))
        {
            options->Scheduler = PolicyId.Sedf;
        }
        else if (value.Equals("bvt"u8))
        {
            options->Scheduler = PolicyId.Bvt;
        }
        else
        {
            return false;
        }

        return true;
    }

    private static bool ParseMaxCpus(BootText value, BootOptions* options)
    {
        uint cpus = 0;
        if (!TextNumber.TryParse(value, &cpus))
        {
            return false;
        }

        options->MaxCpus = cpus == 0 ? 1 : cpus;
        return true;
    }

    private static bool ParseMemoryLimit(BootText value, BootOptions* options)
    {
        MemoryAmount amount = default;
        if (!TextNumber.TryParseAmount(value, &amount) || amount.IsRemainder || amount.Percent != 0 || amount.Bytes == 0)
        {
            return false;
        }

        options->MemoryLimit = amount.Bytes;
        return true;
    }

    private static bool TryParseBoolean(BootText text, out bool value)
    {
        value = text.Equals("1"u8) || text.Equals("on"u8) || text.Equals("yes"u8) || text.Equals("true"u8)
            || text.Equals("enable"u8);
        return value || text.Equals("0"u8) || text.Equals("off"u8) || text.Equals("no"u8) || text.Equals("false"u8)
            || text.Equals("disable"u8);
    }

    private static Outcome ToOutcome(bool parsed) => parsed ? Outcome.Done : Outcome.Malformed;

    private static bool IsBlank(byte character) => character is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r';

    private static void SkipBlanks(BootText line, ref int position)
    {
        while (position < line.Length && IsBlank(line.Pointer[position]))
        {
            position++;
        }
    }

    private static bool NextWord(BootText line, ref int position, out BootText word)
    {
        SkipBlanks(line, ref position);
        int start = position;
        while (position < line.Length && !IsBlank(line.Pointer[position]))
        {
            position++;
        }

        word = new BootText(line.Pointer + start, position - start);
        return word.Length > 0;
    }

    /// <summary>The next part between commas; parts may be empty, an empty list has none.</summary>
    internal static bool NextItem(BootText list, ref int position, out BootText item)
    {
        item = default;
        if (position > list.Length || list.Length == 0)
        {
            return false;
        }

        int start = position;
        while (position < list.Length && list.Pointer[position] != ',')
        {
            position++;
        }

        item = new BootText(list.Pointer + start, position - start);
        position++;
        return true;
    }
}
