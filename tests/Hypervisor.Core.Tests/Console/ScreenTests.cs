// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using System.Text;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class ScreenTests : IDisposable
{
    private const int Guard = 64;
    private const byte Untouched = 0xA5;

    private readonly TextGrid* _grid = (TextGrid*)NativeMemory.AllocZeroed((nuint)sizeof(TextGrid));
    private readonly MemoryMap* _map = (MemoryMap*)NativeMemory.AllocZeroed((nuint)sizeof(MemoryMap));
    private readonly byte[] _font = new byte[ScreenFont.Glyphs * ScreenFont.Height];

    public ScreenTests()
    {
        fixed (byte* font = _font)
        {
            ScreenFont.Pack(font);
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_grid);
        NativeMemory.Free(_map);
    }

    [Fact]
    public void Letters_look_like_letters()
    {
        byte[] pixels = Render(Pixels(40, 16, 32), "Xen!y", out _);

        Assert.Equal(
            """
            ........................................
            ........................................
            .#....#....................#............
            .#....#....................#............
            ..#..#.....................#............
            ..#..#....####...#####.....#.....#....#.
            ...##....#....#..#....#....#.....#....#.
            ...##....#....#..#....#....#.....#....#.
            ..#..#...######..#....#....#.....#....#.
            ..#..#...#.......#....#..........#....#.
            .#....#..#....#..#....#....#.....#....#.
            .#....#...####...#....#....#......#####.
            ......................................#.
            .................................#....#.
            ..................................####..
            ........................................
            """,
            Picture(pixels, 40, 16, 4));
    }

    [Fact]
    public void Every_printable_character_has_a_glyph_of_its_own_and_others_a_box()
    {
        System.Collections.Generic.HashSet<string> seen = [];
        for (int glyph = 0; glyph < ScreenFont.Glyphs; glyph++)
        {
            Assert.True(seen.Add(Convert.ToHexString(_font, glyph * 16, 16)), $"'{(char)(32 + glyph)}' is there twice");
        }

        byte[] box = Render(Pixels(8, 16, 32), "\u007f", out _);
        Assert.Equal(box, Render(Pixels(8, 16, 32), "\u00e9", out _));
        Assert.NotEqual(box, Render(Pixels(8, 16, 32), "~", out _));
    }

    [Theory]
    [InlineData(16, 2)]
    [InlineData(15, 2)]
    [InlineData(24, 3)]
    [InlineData(32, 4)]
    public void All_depths_show_the_same_and_keep_inside_the_framebuffer(int depth, int bytes)
    {
        Framebuffer screen = Pixels(27, 35, depth);
        screen.Pitch += 5;
        byte[] pixels = Render(screen, "A.B\nCDE\n%&g", out FramebufferGeometry geometry);

        Assert.Equal((3, 2), (geometry.Columns, geometry.Rows));
        byte[] reference = Render(Pixels(27, 35, 32), "A.B\nCDE\n%&g", out _);
        Assert.Equal(Picture(reference, 27, 35, 4), Picture(pixels, 27, 35, bytes, (int)screen.Pitch));
    }

    [Fact]
    public void Light_is_grey_by_the_masks()
    {
        Framebuffer screen = Pixels(8, 16, 16);
        Assert.True(Try(screen, out FramebufferGeometry geometry));
        Assert.Equal((21u << 11) | (42u << 5) | 21u, geometry.Light);

        screen = Pixels(8, 16, 32);
        (screen.RedPosition, screen.BluePosition) = (0, 16);
        Assert.True(Try(screen, out geometry));
        Assert.Equal(0xAAAAAAu, geometry.Light);
    }

    [Theory]
    [InlineData(640, 480, 1, 80, 30)]
    [InlineData(1920, 1080, 1, 240, 67)]
    [InlineData(2560, 1440, 2, 160, 45)]
    [InlineData(3840, 2160, 2, 240, 67)]
    [InlineData(7680, 4320, 4, 240, 67)]
    [InlineData(9, 32000, 1, 1, 2000)]
    public void Cells_grow_with_the_resolution(int width, int height, int scale, int columns, int rows)
    {
        Assert.True(Try(Pixels(width, height, 32), out FramebufferGeometry geometry));
        Assert.Equal((scale, columns, rows), (geometry.Scale, geometry.Columns, geometry.Rows));
    }

    [Fact]
    public void A_scaled_glyph_is_the_same_in_blocks()
    {
        Framebuffer screen = Pixels(2000, 48, 32);
        byte[] pixels = Render(screen, "R", out FramebufferGeometry geometry);
        Assert.Equal(2, geometry.Scale);
        string[] large = Picture(pixels, 2000, 48, 4).Split('\n');
        string[] small = Picture(Render(Pixels(8, 16, 32), "R", out _), 8, 16, 4).Split('\n');
        for (int y = 0; y < 32; y++)
        {
            for (int x = 0; x < 16; x++)
            {
                Assert.Equal(small[y / 2][x / 2], large[y][x]);
            }
        }
    }

    [Fact]
    public void What_cannot_be_written_to_is_refused()
    {
        Framebuffer sound = Pixels(640, 480, 32);
        Assert.True(Try(sound, out _));
        Refuse(sound with { Kind = FramebufferKind.Indexed });
        Refuse(sound with { Kind = FramebufferKind.EgaText });
        Refuse(sound with { BitsPerPixel = 8 });
        Refuse(sound with { BitsPerPixel = 40 });
        Refuse(sound with { Width = 7 });
        Refuse(sound with { Height = 15 });
        Refuse(sound with { Width = uint.MaxValue });
        Refuse(sound with { Height = uint.MaxValue });
        Refuse(sound with { Pitch = (640 * 4) - 1 });
        Refuse(sound with { Pitch = 1 << 20 });
        Refuse(sound with { Address = 0 });
        Refuse(sound with { Address = (1UL << 40) - 4096 });
        Refuse(sound with { Address = ulong.MaxValue });
        Refuse(sound with { RedSize = 0, GreenSize = 0, BlueSize = 0 });
        Refuse(sound with { RedPosition = 255, GreenPosition = 255, BluePosition = 31 });
        _ = _map->TryAdd(0, 0x8000_0001, (uint)MemoryType.Ram);
        Refuse(sound);
    }

    [Fact]
    public void Text_scrolls_and_only_what_differs_is_drawn()
    {
        _grid->Open(4, 3);
        Write("ab\ncd\nef");
        Assert.Equal("a0,0 b1,0 c0,1 d1,1 e0,2 f1,2", Changes());
        Assert.Equal(string.Empty, Changes());
        Write("\ncd");
        Assert.Equal("c0,0 d1,0 e0,1 f1,1 c0,2 d1,2", Changes());
        Write("\ncd\ncd");
        Assert.Equal("c0,1 d1,1", Changes());
        Assert.Equal((2, 2), (_grid->Column, _grid->Row));
    }

    [Fact]
    public void Control_characters_move_the_cursor_and_long_lines_go_on()
    {
        _grid->Open(10, 4);
        Write("\tx\rY\b\bZ\0\u001b");
        Assert.Equal("Z0,0 x8,0", Changes());
        Write("\r123456789012");
        Assert.EndsWith(" 10,1 21,1", Changes());
        Write("\n\t\tE");
        Assert.Equal("E0,3", Changes());
    }

    [Fact]
    public void After_the_screen_was_cleared_all_text_is_drawn_again()
    {
        _grid->Open(4, 2);
        Write("ab\nc");
        _ = Changes();
        _grid->Forget();
        Assert.Equal("a0,0 b1,0 c0,1", Changes());
    }

    [Theory]
    [InlineData(100000, 100000)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void Any_size_of_grid_is_bounded(int columns, int rows)
    {
        _grid->Open(columns, rows);
        for (int i = 0; i < 1000; i++)
        {
            Write("The quick brown fox\n\tjumps");
        }

        _ = Changes();
        Assert.InRange(_grid->Columns, 0, TextGrid.MaxColumns);
        Assert.InRange(_grid->Rows, 0, TextGrid.MaxRows);
    }

    private static Framebuffer Pixels(int width, int height, int depth)
    {
        Framebuffer screen = new()
        {
            Kind = FramebufferKind.DirectColour,
            Address = 0x8000_0000,
            Width = (uint)width,
            Height = (uint)height,
            BitsPerPixel = (byte)depth,
            Pitch = (uint)(width * ((depth + 7) / 8)),
        };
        byte[] masks = depth switch
        {
            15 => [10, 5, 5, 5, 0, 5],
            16 => [11, 5, 5, 6, 0, 5],
            _ => [16, 8, 8, 8, 0, 8],
        };
        (screen.RedPosition, screen.RedSize) = (masks[0], masks[1]);
        (screen.GreenPosition, screen.GreenSize) = (masks[2], masks[3]);
        (screen.BluePosition, screen.BlueSize) = (masks[4], masks[5]);
        return screen;
    }

    private static string Picture(byte[] pixels, int width, int height, int bytes, int pitch = 0)
    {
        StringBuilder text = new();
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                ReadOnlySpan<byte> pixel =
                    pixels.AsSpan(Guard + (y * (pitch == 0 ? width * bytes : pitch)) + (x * bytes), bytes);
                _ = text.Append(pixel.IndexOfAnyExcept((byte)0) >= 0 ? '#' : '.');
            }

            _ = text.Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }

    private bool Try(in Framebuffer screen, out FramebufferGeometry geometry) =>
        FramebufferGeometry.TryMake(in screen, _map, 40, out geometry);

    private void Refuse(Framebuffer screen) => Assert.False(Try(screen, out _));

    /// <summary>The framebuffer's bytes between two guards, which nobody may touch, nor the bytes between rows.</summary>
    private byte[] Render(Framebuffer screen, string text, out FramebufferGeometry geometry)
    {
        Assert.True(Try(screen, out geometry));
        byte[] pixels = new byte[(int)geometry.Size + (2 * Guard)];
        Array.Fill(pixels, Untouched);
        _grid->Open(geometry.Columns, geometry.Rows);
        fixed (byte* target = pixels, font = _font)
        {
            FramebufferPainter.Clear(target + Guard, in geometry);
            Write(text);
            FramebufferPainter.Draw(target + Guard, in geometry, font, _grid);
        }

        Assert.Equal(-1, pixels.AsSpan(0, Guard).IndexOfAnyExcept(Untouched));
        Assert.Equal(-1, pixels.AsSpan(Guard + (int)geometry.Size).IndexOfAnyExcept(Untouched));
        int width = geometry.Width * geometry.BytesPerPixel;
        for (int y = 0; y < geometry.Height; y++)
        {
            Assert.Equal(-1, pixels.AsSpan(Guard + (y * geometry.Pitch) + width, geometry.Pitch - width)
                .IndexOfAnyExcept(Untouched));
        }

        return pixels;
    }

    private void Write(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        fixed (byte* pointer = bytes)
        {
            _grid->Write(pointer, bytes.Length);
        }
    }

    private string Changes()
    {
        StringBuilder text = new();
        int position = 0;
        while (_grid->NextChanged(ref position, out int column, out int row, out byte character))
        {
            _ = text.Append($"{(char)character}{column},{row} ");
        }

        return text.ToString().TrimEnd();
    }
}
