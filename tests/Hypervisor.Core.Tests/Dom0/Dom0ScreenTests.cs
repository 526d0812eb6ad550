// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;
using Hypervisor.Core.Dom0;
using Hypervisor.Core.Tests.Boot;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Dom0;

public sealed unsafe class Dom0ScreenTests
{
    private static readonly Framebuffer s_pixels = new()
    {
        Kind = FramebufferKind.DirectColour,
        Address = 0x12_8000_0000,
        Width = 1280,
        Height = 800,
        Pitch = 5120,
        BitsPerPixel = 32,
        RedPosition = 16,
        RedSize = 8,
        GreenPosition = 8,
        GreenSize = 8,
        BluePosition = 0,
        BlueSize = 8,
        VbeCapabilities = 0x21,
        VbeModeAttributes = 0xFB,
    };

    [Fact]
    public void Pixels_are_described_as_they_are()
    {
        using BootMemory memory = new();
        memory.Information->Framebuffer = s_pixels;

        Assert.True(Dom0Screen.TryDescribe(in *memory.Information, 3, 4, out Dom0VgaConsoleInfo screen));

        Assert.Equal((byte)VgaConsoleType.VesaLfb, screen.VideoType);
        Assert.Equal((1280, 800, 5120), (screen.VesaLfbWidth, screen.VesaLfbHeight, screen.VesaLfbBytesPerLine));
        Assert.Equal((0x8000_0000u, 0x12u), (screen.VesaLfbLfbBase, screen.VesaLfbExtLfbBase));
        Assert.Equal(63u, screen.VesaLfbLfbSize);
        Assert.Equal((16, 8, 24, 8), (
            screen.VesaLfbRedPos, screen.VesaLfbRedSize, screen.VesaLfbRsvdPos, screen.VesaLfbRsvdSize));
        Assert.Equal((0x21u, (ushort)0xFB), (screen.VesaLfbGblCaps, screen.VesaLfbModeAttrs));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pixels_of_an_EFI_machine_are_EFIs(bool isWide)
    {
        using BootMemory memory = new();
        memory.Information->Framebuffer = s_pixels;
        memory.Information->EfiSystemTable64 = isWide ? 0x1000u : 0;
        memory.Information->EfiSystemTable32 = isWide ? 0 : 0x1000u;
        Assert.True(Dom0Screen.TryDescribe(in *memory.Information, 0, 0, out Dom0VgaConsoleInfo screen));
        Assert.Equal((byte)VgaConsoleType.EfiLfb, screen.VideoType);
    }

    [Fact]
    public void A_text_screen_keeps_its_cursor()
    {
        using BootMemory memory = new();
        Assert.True(Dom0Screen.TryDescribe(in *memory.Information, 80, 24, out Dom0VgaConsoleInfo screen));
        Assert.Equal((byte)VgaConsoleType.TextMode3, screen.VideoType);
        Assert.Equal((80, 25, 16), (screen.TextMode3Columns, screen.TextMode3Rows, screen.TextMode3FontHeight));
        Assert.Equal((79, 24), (screen.TextMode3CursorX, screen.TextMode3CursorY));

        memory.Information->Framebuffer = new() { Kind = FramebufferKind.EgaText, Width = 80, Height = 50 };
        Assert.True(Dom0Screen.TryDescribe(in *memory.Information, 1, 2, out screen));
        Assert.Equal((50, 1, 2), (screen.TextMode3Rows, screen.TextMode3CursorX, screen.TextMode3CursorY));
    }

    [Fact]
    public void What_the_interface_has_no_words_for_is_not_described()
    {
        using BootMemory memory = new();
        memory.Information->Framebuffer = s_pixels with { Pitch = 0x10000 };
        Assert.False(Dom0Screen.TryDescribe(in *memory.Information, 0, 0, out _));
        memory.Information->Framebuffer = s_pixels with { Kind = FramebufferKind.Indexed };
        Assert.False(Dom0Screen.TryDescribe(in *memory.Information, 0, 0, out _));
        memory.Information->Framebuffer = default;
        memory.Information->EfiSystemTable64 = 0x1000;
        Assert.False(Dom0Screen.TryDescribe(in *memory.Information, 0, 0, out _));
    }
}
