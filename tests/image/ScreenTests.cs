// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Hypervisor.Core.Console;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>The hypervisor's letters on the screen, read back from a picture of it.</summary>
public sealed class ScreenTests : IDisposable
{
    private const string Last = "halted";

    private readonly Monitor _monitor = new();

    public void Dispose() => _monitor.Dispose();

    [Theory]
    [InlineData(LoaderKind.GrubMultiboot2, "800x600x16", 800)]
    [InlineData(LoaderKind.GrubMultiboot2, "1024x768x24", 1024)]
    [InlineData(LoaderKind.GrubMultiboot2, "1280x1024x32", 1280)]
    [InlineData(LoaderKind.Efi, MachineOptions.TextScreen, 1280)]
    public void The_screen_says_what_the_serial_line_says(LoaderKind loader, string mode, int width)
    {
        MachineOptions machine = new()
        {
            Loader = loader,
            Screen = mode,
            NoModules = true,
            HypervisorArguments = "console=com1,vga",
            QemuArguments = _monitor.Arguments,
        };
        using SerialLine line = SerialLine.Boot(machine, BootFiles.Gather(machine), "screen");
        bool halts = line.WaitUntil(
            text => text.Contains($"(XEN) {Last}", StringComparison.Ordinal), DateTime.UtcNow.AddSeconds(120));
        Assert.True(halts, line.Tail());

        string screen = WaitFor(Last, out int found);
        Assert.Equal(width, found);
        string[] said =
        [
            .. line.Text.Replace("\r", string.Empty, StringComparison.Ordinal).Split('\n')
                .Where(text => text.StartsWith("(XEN) ", StringComparison.Ordinal)),
        ];
        Assert.Contains(said, text => text.Contains("cannot start: no Domain-0", StringComparison.Ordinal));

        // Lines that are longer than the screen go on in the next row.
        string whole = screen.Replace("\n", string.Empty, StringComparison.Ordinal);
        Assert.All(said, text => Assert.Contains(
            text.Replace(" ", string.Empty, StringComparison.Ordinal),
            whole.Replace(" ", string.Empty, StringComparison.Ordinal)));
    }

    [Fact]
    public void Domain_0_gets_the_screen_and_a_panic_takes_it_back()
    {
        MachineOptions machine = new()
        {
            Screen = "1024x768x32",
            HypervisorArguments = "console=com1,vga",
            QemuArguments = _monitor.Arguments,
        };
        using SerialLine line = SerialLine.Boot(machine, BootFiles.Gather(machine), "screen");
        bool starts = line.WaitUntil(
            text => text.Contains("Linux version", StringComparison.Ordinal), DateTime.UtcNow.AddSeconds(120));
        Assert.True(starts, line.Tail());
        string screen = WaitFor("starting the first domain", out _);
        Assert.DoesNotContain("Linux version", screen);

        _monitor.BreakProcessor();

        // The machine check may come while the hypervisor runs, and has registers to show then.
        Assert.Matches("Panic on CPU 0: .*machine check", WaitFor("machine check", out _));
        Assert.Matches(@"\(XEN\) Panic on CPU 0: .*machine check", line.Text);
    }

    /// <summary>Looks at the screen until it has a text, or it has not come in time.</summary>
    private string WaitFor(string text, out int width)
    {
        string screen = Read(_monitor.Picture(), out width);
        for (int turn = 0; turn < 100 && !screen.Contains(text, StringComparison.Ordinal); turn++)
        {
            Thread.Sleep(100);
            screen = Read(_monitor.Picture(), out width);
        }

        return screen;
    }

    /// <summary>The text of a picture, each cell looked up in the font.</summary>
    private static unsafe string Read(byte[] pixmap, out int width)
    {
        // "P6 width height 255", each ended by one white space, then three bytes a pixel.
        string head = Encoding.ASCII.GetString(pixmap, 0, Math.Min(64, pixmap.Length));
        string[] words = head.Split((char[]?)null, 5);
        width = int.Parse(words[1]);
        int height = int.Parse(words[2]);
        int start = pixmap.Length - (width * height * 3);
        byte[] font = new byte[ScreenFont.Glyphs * ScreenFont.Height];
        fixed (byte* target = font)
        {
            ScreenFont.Pack(target);
        }

        Dictionary<string, char> letters = [];
        for (int glyph = 0; glyph < ScreenFont.Glyphs; glyph++)
        {
            letters[Convert.ToHexString(font, glyph * ScreenFont.Height, ScreenFont.Height)] =
                (char)(ScreenFont.First + glyph);
        }

        StringBuilder text = new();
        byte[] cell = new byte[ScreenFont.Height];
        for (int row = 0; row < height / ScreenFont.Height; row++)
        {
            for (int column = 0; column < width / ScreenFont.Width; column++)
            {
                for (int y = 0; y < ScreenFont.Height; y++)
                {
                    int bits = 0;
                    for (int x = 0; x < ScreenFont.Width; x++)
                    {
                        int at = (((row * ScreenFont.Height) + y) * width) + (column * ScreenFont.Width) + x;
                        bits = (bits << 1) | (pixmap[start + (at * 3)] != 0 ? 1 : 0);
                    }

                    cell[y] = (byte)bits;
                }

                _ = text.Append(letters.GetValueOrDefault(Convert.ToHexString(cell), '\u25A1'));
            }

            _ = text.Append('\n');
        }

        return text.ToString();
    }
}
