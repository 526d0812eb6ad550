// SPDX-License-Identifier: MIT

// How a C name becomes a C# name. The rule is mechanical, so that whoever knows one name knows the other:
//
// 1. the tag of a structure loses a leading "xen_";
// 2. a field of a nested unnamed type is named by its whole path; the path elements "u" and "x" say nothing and go;
// 3. the name is split at underscores and dots, and each word gets an initial capital;
// 4. words in golden/words.txt are spelled as given there: they are run-together words and abbreviations.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Xen.Abi.Tests;

/// <summary>The mapping from C names to C# names.</summary>
internal static class AbiName
{
    private static readonly Lazy<Dictionary<string, string>> s_words = new(() => File
        .ReadAllLines(RepositoryFiles.Golden("words.txt"))
        .Select(line => line.Split(' '))
        .ToDictionary(pair => pair[0], pair => pair[1]));

    public static IReadOnlyDictionary<string, string> Words => s_words.Value;

    public static string OfStruct(string tag) => Pascal(tag.StartsWith("xen_") ? tag["xen_".Length..] : tag);

    public static string OfField(string path) =>
        string.Concat(path.Split('.').Where(element => element is not ("u" or "x")).Select(Pascal));

    private static string Pascal(string name) =>
        string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(Word));

    private static string Word(string word)
    {
        if (Words.TryGetValue(word, out string spelled))
        {
            return spelled;
        }
        bool mixed = word.Any(char.IsUpper) && word.Any(char.IsLower);
        return char.ToUpperInvariant(word[0]) + (mixed ? word[1..] : word[1..].ToLowerInvariant());
    }
}
