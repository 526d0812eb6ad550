// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Xt.Machine;

/// <summary>
/// Finds the output of commands in the stream of a console that others print to as well. Domain-0 sends it as lines
/// "@token number base64", and closes with "@token end status md5". See tools/Xt/Dom0/usr/lib/xt.
/// </summary>
public static partial class ConsoleAnswer
{
    /// <summary>The answer, when all of it is there and its checksum is right.</summary>
    public static (int Status, byte[] Output)? Decode(string serialText, string token) =>
        Decode(serialText, token, out _);

    /// <summary>The same; also tells whether an answer came to its end but is damaged, so that waiting is vain.</summary>
    public static (int Status, byte[] Output)? Decode(string serialText, string token, out bool isDamaged)
    {
        isDamaged = false;
        string mark = $"@{token} ";
        if (!serialText.Contains(mark, StringComparison.Ordinal))
        {
            return null;
        }

        // What others printed into the middle of our lines is taken out again, up to and with its line end.
        string text = Foreign().Replace(serialText, string.Empty).Replace("\r", string.Empty, StringComparison.Ordinal);
        int lastLineEnd = text.LastIndexOf('\n');
        StringBuilder encoded = new();
        int expected = 1;
        foreach (string line in text[..(lastLineEnd + 1)].Split('\n'))
        {
            int start = line.IndexOf(mark, StringComparison.Ordinal);
            if (start < 0)
            {
                continue;
            }

            string[] words = line[(start + mark.Length)..].Split(' ');
            if (words is ["end", string status, string sum])
            {
                byte[]? output = FromBase64(encoded.ToString());
                if (output != null && Convert.ToHexStringLower(MD5.HashData(output)) == sum &&
                    int.TryParse(status, out int number))
                {
                    return (number, output);
                }

                isDamaged = true;
                _ = encoded.Clear();
                expected = 1;
            }
            else if (words is [string number, string piece] &&
                number == expected.ToString(CultureInfo.InvariantCulture))
            {
                _ = encoded.Append(piece);
                expected++;
            }
        }

        return null;
    }

    private static byte[]? FromBase64(string text)
    {
        byte[] bytes = new byte[(text.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(text, bytes, out int count) ? bytes[..count] : null;
    }

    [GeneratedRegex(@"\(XEN\) [^\n]*\n|\[ *\d+\.\d{6}\] [^\n]*\n")]
    private static partial Regex Foreign();
}
