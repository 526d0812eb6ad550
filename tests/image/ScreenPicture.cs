// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// The machine's screen beside what Linux believes to show on tty1. No font needs to be known for that: wherever Linux has
/// the same letter the picture has the same dots, and for two letters it has two kinds.
/// </summary>
internal static class ScreenPicture
{
    private const int MostSpoilt = 4;
    private const int FewestLetters = 12;

    public static void ShowsTheSameAs(Dom0Session dom0, Monitor monitor)
    {
        byte[] text = Convert.FromBase64String(dom0.Require("base64 -w 0 /dev/vcsa1; true").Trim());
        byte[] pixmap = monitor.Picture();
        int rows = text[0];
        int columns = text[1];
        string[] words = Encoding.ASCII.GetString(pixmap, 0, Math.Min(64, pixmap.Length)).Split((char[]?)null, 5);
        int width = int.Parse(words[1]);
        int height = int.Parse(words[2]);
        int start = pixmap.Length - (width * height * 3);

        // Letters have 8 by 16 dots, on VGA's own text screen 9: what is left over lies below and at the right.
        int cellWidth = width / columns;
        int cellHeight = height / rows;
        Dictionary<char, Dictionary<string, int>> pictures = [];
        for (int cell = 0; cell < rows * columns; cell++)
        {
            char letter = (char)text[4 + (cell * 2)];
            string dots = Dots(pixmap.AsSpan(start), width,
                cell % columns * cellWidth, cell / columns * cellHeight, cellWidth, cellHeight);
            Dictionary<string, int> found = pictures.TryGetValue(letter, out Dictionary<string, int>? known)
                ? known
                : pictures[letter] = [];
            found[dots] = found.GetValueOrDefault(dots) + 1;
        }

        // The cursor spoils a cell or two.
        int spoilt = pictures.Values.Sum(found => found.Values.Sum() - found.Values.Max());
        Assert.True(spoilt <= MostSpoilt, $"{spoilt} cells of {columns} by {rows} look unlike others of the same letter");
        Assert.True(pictures.Count >= FewestLetters, $"only {pictures.Count} different letters on the screen");
        Assert.Equal(pictures.Count, pictures.Values.Select(found => found.MaxBy(pair => pair.Value).Key).Distinct().Count());
    }

    private static string Dots(ReadOnlySpan<byte> pixels, int width, int left, int top, int cellWidth, int cellHeight)
    {
        StringBuilder dots = new(cellWidth * cellHeight);
        for (int y = 0; y < cellHeight; y++)
        {
            for (int x = 0; x < cellWidth; x++)
            {
                int at = (((top + y) * width) + left + x) * 3;
                _ = dots.Append(pixels[at] + pixels[at + 1] + pixels[at + 2] > 128 ? '#' : '.');
            }
        }

        return dots.ToString();
    }
}
