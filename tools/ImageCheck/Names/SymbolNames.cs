// SPDX-License-Identifier: MIT
// ILCompiler names a method Assembly_Namespace_Type__Method: what an assembler does not take becomes an underscore, type
// arguments stand in angle brackets, overloads get a number. Our own names have no underscores, so the way back is certain
// but for the assembly, whose name the namespace may repeat.

using System;
using System.Text;
using System.Text.RegularExpressions;

namespace ImageCheck.Names;

/// <summary>Readable forms of mangled names.</summary>
public static partial class SymbolNames
{
    /// <summary>The type's name alone.</summary>
    public static string ShortType(string symbol)
    {
        string name = Short(symbol);
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[..dot] : name;
    }

    /// <summary><c>Type.Method</c>; a name that is not the compiler's stays as it is.</summary>
    public static string Short(string symbol)
    {
        string plain = WithoutTypeArguments(symbol);
        int separator = plain.IndexOf("__", StringComparison.Ordinal);
        if (separator <= 0)
        {
            return symbol;
        }

        string type = Number().Replace(plain[..separator], string.Empty);
        string method = Number().Replace(plain[(separator + 2)..], string.Empty);
        if (!IsGenerated(type))
        {
            type = type[(type.LastIndexOf('_') + 1)..];
        }

        return method switch
        {
            "" => symbol,
            "_ctor" => type + ".new",
            _ => type + "." + method.TrimStart('_'),
        };
    }

    /// <summary>Code that belongs to no type of the sources.</summary>
    private static bool IsGenerated(string type) => type.StartsWith("Internal_", StringComparison.Ordinal);

    private static string WithoutTypeArguments(string symbol)
    {
        StringBuilder plain = new();
        int depth = 0;
        foreach (char character in symbol)
        {
            depth += character == '<' ? 1 : 0;
            if (depth == 0)
            {
                _ = plain.Append(character);
            }

            depth -= character == '>' ? 1 : 0;
        }

        return plain.ToString();
    }

    /// <summary>The number of type parameters behind a type, or of the overload behind a method.</summary>
    [GeneratedRegex("_[0-9]+$")]
    private static partial Regex Number();
}
