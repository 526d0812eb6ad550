// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Boot;

/// <summary>How each option is to be written, for the warning about one that is not.</summary>
public static unsafe class OptionForms
{
    /// <summary>The accepted form of the option that <paramref name="word"/> names; empty for an unknown one.</summary>
    public static ReadOnlySpan<byte> Describe(BootText word)
    {
        OptionText option = OptionText.Split(word);
        ReadOnlySpan<byte> form = OfValue(option);
        if (form.Length == 0 && (IsBoolean(option) || (option.TryStripNo(out OptionText positive) && IsBoolean(positive))))
        {
            form = "the name alone, no- before it, or =on or =off behind it"u8;
        }

        return form;
    }

    private static ReadOnlySpan<byte> OfValue(OptionText option) =>
        option.Is("dom0_mem"u8) ? "<size>[,min:<size>][,max:<size>], sizes like 512M, -128M, 25% or 1G+25%"u8
        : option.Is("dom0_max_vcpus"u8) ? "<number>, or <min>-<max> of which one may be left out"u8
        : option.Is("com1"u8) || option.Is("com2"u8) ? "<baud>|auto[,<bits><parity><stop>[,<port>[,<irq>]]], like 115200,8n1"u8
        : option.Is("console"u8) ? "a list of com1, com2, vga; or none"u8
        : option.Is("vga"u8) ? "current or text-80x25, and keep"u8
        : option.Is("loglvl"u8) || option.Is("guest_loglvl"u8) ? "none, error, warning, info, debug or all, or two of them as <low>/<high>"u8
        : option.Is("sched"u8) ? "credit, sedf or bvt"u8
        : option.Is("maxcpus"u8) ? "<number>"u8
        : option.Is("mem"u8) ? "<size>, like 4G"u8
        : option.Is("conring_size"u8) ? "<size>, like 64K"u8
        : default;

    private static bool IsBoolean(OptionText option)
    {
        BootOptions options = default;
        bool ignored = false;
        return CommandLine.BooleanNamed(option, &options, &ignored) != null;
    }
}
