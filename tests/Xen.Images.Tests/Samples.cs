// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

/// <summary>Data to pack: nothing, little, repetitive, random, text and machine code.</summary>
internal static class Samples
{
    private const int CodeLimit = 600_000;

    private static readonly Dictionary<string, byte[]> s_cache = [];

    public static readonly string[] Names =
        ["empty", "byte", "short", "zeroes", "random", "text", "pattern", "branches", "program", "library"];

    public static byte[] Get(string name)
    {
        lock (s_cache)
        {
            if (!s_cache.TryGetValue(name, out byte[] data))
            {
                data = Make(name);
                s_cache.Add(name, data);
            }

            return data;
        }
    }

    private static byte[] Make(string name) => name switch
    {
        "empty" => [],
        "byte" => [0x5A],
        "short" => "The quick brown fox jumps over the lazy dog; the quick brown fox is quick."u8.ToArray(),
        "zeroes" => new byte[400_001],
        "random" => Random(70_000, 1),
        "text" => Text(300_000, 2),
        "pattern" => Pattern(200_000, 3),
        "branches" => Branches(150_000, 5),
        "small" => Mixed(2_500, 4),
        "program" => Code("/bin/bash"),
        "library" => Code(LargestLibrary()),
        _ => throw new ArgumentException(name),
    };

    private static byte[] Random(int size, int seed)
    {
        byte[] data = new byte[size];
        new Random(seed).NextBytes(data);
        return data;
    }

    private static byte[] Text(int size, int seed)
    {
        Random random = new(seed);
        string[] words = new string[500];
        for (int index = 0; index < words.Length; index++)
        {
            char[] letters = new char[random.Next(1, 11)];
            for (int letter = 0; letter < letters.Length; letter++)
            {
                letters[letter] = (char)('a' + Math.Min(random.Next(26), random.Next(26)));
            }

            words[index] = new string(letters);
        }

        StringBuilder text = new();
        while (text.Length < size)
        {
            int pick = random.Next(words.Length) * random.Next(words.Length) / words.Length;
            _ = text.Append(words[pick]).Append(random.Next(12) == 0 ? ".\n" : " ");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, size));
    }

    /// <summary>Runs and repetitions at every small distance, where overlapping copies go wrong.</summary>
    private static byte[] Pattern(int size, int seed)
    {
        Random random = new(seed);
        List<byte> data = [1, 2, 3];
        while (data.Count < size)
        {
            if (random.Next(4) == 0)
            {
                data.Add((byte)random.Next(256));
                continue;
            }

            int distance = Math.Min(data.Count, random.Next(3) == 0 ? random.Next(1, 60_000) : random.Next(1, 40));
            int length = random.Next(2, random.Next(3, 400));
            for (int index = 0; index < length; index++)
            {
                data.Add(data[^distance]);
            }
        }

        data.RemoveRange(size, data.Count - size);
        return [.. data];
    }

    /// <summary>The bytes that the x86 filter looks at, so dense that every ambiguity occurs.</summary>
    private static byte[] Branches(int size, int seed)
    {
        ReadOnlySpan<byte> choice = [0xE8, 0xE9, 0x00, 0xFF, 0xE8, 0x00, 0x01, 0x7F];
        byte[] data = Random(size, seed);
        for (int index = 0; index < size; index++)
        {
            data[index] = (data[index] & 0x80) == 0 ? choice[data[index] & 7] : data[index];
        }

        return data;
    }

    /// <summary>A little of everything, small enough to damage in every place.</summary>
    private static byte[] Mixed(int size, int seed)
    {
        byte[] data = new byte[size];
        Text(size / 2, seed).CopyTo(data, 0);
        Pattern(size / 4, seed).CopyTo(data, size / 2);
        Array.Copy(Code("/bin/bash"), 0x30000, data, size / 4 * 3, size / 4);
        return data;
    }

    private static byte[] Code(string path)
    {
        // From the middle: before it are symbols and relocations.
        byte[] data = File.ReadAllBytes(path);
        int start = Math.Max(0, (data.Length - CodeLimit) / 2);
        return data[start..Math.Min(data.Length, start + CodeLimit)];
    }

    private static string LargestLibrary()
    {
        string largest = "/bin/bash";
        long size = 0;
        foreach (string path in Directory.EnumerateFiles("/usr/lib/x86_64-linux-gnu", "*.so*"))
        {
            FileInfo info = new(path);
            if (info.LinkTarget == null && info.Length > size)
            {
                largest = path;
                size = info.Length;
            }
        }

        return largest;
    }
}
