// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>A string inside the kernel image, without the zero that ends it; empty if the note is absent.</summary>
public unsafe struct NoteText
{
    public byte* Start;
    public nuint Length;

    /// <summary>Takes a descriptor up to its first zero byte, or all of it.</summary>
    public static NoteText Of(byte* bytes, nuint size)
    {
        nuint length = 0;
        while (length < size && bytes[length] != 0)
        {
            length++;
        }

        return new NoteText { Start = bytes, Length = length };
    }

    public readonly bool StartsWith(System.ReadOnlySpan<byte> text)
    {
        if (Length < (nuint)text.Length)
        {
            return false;
        }

        for (int index = 0; index < text.Length; index++)
        {
            if (Start[index] != text[index])
            {
                return false;
            }
        }

        return true;
    }

    public readonly bool Is(System.ReadOnlySpan<byte> text) => Length == (nuint)text.Length && StartsWith(text);
}
