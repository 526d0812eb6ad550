// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Boot;

/// <summary>One word of the command line, cut at the first equals sign.</summary>
internal unsafe struct OptionText
{
    internal BootText Name;
    internal BootText Value;
    internal bool HasValue;

    internal static OptionText Split(BootText word)
    {
        int equals = TextNumber.IndexOf(word, (byte)'=');
        return equals < 0
            ? new OptionText { Name = word }
            : new OptionText
            {
                Name = new BootText(word.Pointer, equals),
                Value = new BootText(word.Pointer + equals + 1, word.Length - equals - 1),
                HasValue = true,
            };
    }

    /// <summary>True for the name, in which a minus stands for an underscore too.</summary>
    internal readonly bool Is(ReadOnlySpan<byte> name)
    {
        if (Name.Length != name.Length)
        {
            return false;
        }

        for (int i = 0; i < name.Length; i++)
        {
            byte character = Name.Pointer[i];
            if ((character == '-' ? (byte)'_' : character) != name[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The option without a leading <c>no-</c>.</summary>
    internal readonly bool TryStripNo(out OptionText positive)
    {
        positive = this;
        if (!TextNumber.TryStrip(Name, "no-"u8, out BootText name))
        {
            return false;
        }

        positive.Name = name;
        return true;
    }
}
