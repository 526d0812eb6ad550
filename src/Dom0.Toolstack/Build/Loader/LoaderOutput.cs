// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Build.Loader;

/// <summary>
/// What a boot loader chose, in the form that <c>--output-format=simple0</c> asks for: pairs of a word and a value, each
/// ended by a zero. The loader worked on a guest's disk, so none of it is believed.
/// </summary>
internal sealed record LoaderOutput(string Kernel, string? Ramdisk, string Arguments)
{
    /// <summary>Most bytes that are looked at.</summary>
    public const int Limit = 16 * 1024;

    /// <summary>Reads what a loader wrote; file names are those of files in its own folder, without the folder.</summary>
    /// <exception cref="ToolstackException">It is nothing that a loader writes.</exception>
    public static LoaderOutput Parse(ReadOnlySpan<byte> bytes, string folder)
    {
        if (bytes.Length >= Limit)
        {
            throw Wrong($"it has {bytes.Length} bytes or more");
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw Wrong("it is no UTF-8");
        }

        Dictionary<string, string> values = [];
        foreach (string part in text.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            // Loaders write "kernel /path"; args may be empty, or have blanks of its own.
            int blank = part.IndexOf(' ');
            (string word, string value) = blank < 0 ? (part, "") : (part[..blank], part[(blank + 1)..].Trim());
            if (word is not ("kernel" or "ramdisk" or "args") || !values.TryAdd(word, value))
            {
                throw Wrong("it says something other than kernel, ramdisk and args, or one of them twice");
            }
        }

        string arguments = values.GetValueOrDefault("args", "");
        if (arguments.Length > DomainConfigCheck.MaximumCommandLine || arguments.Any(char.IsControl))
        {
            throw Wrong($"the kernel's command line has {arguments.Length} characters, or control characters; there is "
                + $"room for {DomainConfigCheck.MaximumCommandLine}");
        }

        return new LoaderOutput(
            NameIn(folder, values.GetValueOrDefault("kernel")) ?? throw Wrong("it names no kernel"),
            NameIn(folder, values.GetValueOrDefault("ramdisk")), arguments);
    }

    private static string? NameIn(string folder, string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        string name = path[(path.LastIndexOf('/') + 1)..];
        return name.Length > 0 && name is not ("." or "..") && path == $"{folder}/{name}"
            ? name
            : throw Wrong("it names a file outside of the loader's own folder");
    }

    private static ToolstackException Wrong(string why) => new(
        $"bootloader: what it says is not what a boot loader says: {why}",
        "Look at the guest's boot configuration; it may be damaged, or made to deceive");
}
