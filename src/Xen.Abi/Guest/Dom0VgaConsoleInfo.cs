// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct dom0_vga_console_info</c>: the screen as the boot loader left it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x28)]
public struct Dom0VgaConsoleInfo
{
    /// <summary><c>video_type</c>: <see cref="VgaConsoleType"/>.</summary>
    [FieldOffset(0x0)]
    public byte VideoType;

    /// <summary><c>u.text_mode_3.font_height</c>.</summary>
    [FieldOffset(0x4)]
    public ushort TextMode3FontHeight;

    /// <summary><c>u.text_mode_3.cursor_x</c>.</summary>
    [FieldOffset(0x6)]
    public ushort TextMode3CursorX;

    /// <summary><c>u.text_mode_3.cursor_y</c>.</summary>
    [FieldOffset(0x8)]
    public ushort TextMode3CursorY;

    /// <summary><c>u.text_mode_3.rows</c>.</summary>
    [FieldOffset(0xa)]
    public ushort TextMode3Rows;

    /// <summary><c>u.text_mode_3.columns</c>.</summary>
    [FieldOffset(0xc)]
    public ushort TextMode3Columns;

    /// <summary><c>u.vesa_lfb.width</c>.</summary>
    [FieldOffset(0x4)]
    public ushort VesaLfbWidth;

    /// <summary><c>u.vesa_lfb.height</c>.</summary>
    [FieldOffset(0x6)]
    public ushort VesaLfbHeight;

    /// <summary><c>u.vesa_lfb.bytes_per_line</c>.</summary>
    [FieldOffset(0x8)]
    public ushort VesaLfbBytesPerLine;

    /// <summary><c>u.vesa_lfb.bits_per_pixel</c>.</summary>
    [FieldOffset(0xa)]
    public ushort VesaLfbBitsPerPixel;

    /// <summary><c>u.vesa_lfb.lfb_base</c>.</summary>
    [FieldOffset(0xc)]
    public uint VesaLfbLfbBase;

    /// <summary><c>u.vesa_lfb.lfb_size</c>: in units of 64 KiB.</summary>
    [FieldOffset(0x10)]
    public uint VesaLfbLfbSize;

    /// <summary><c>u.vesa_lfb.red_pos</c>.</summary>
    [FieldOffset(0x14)]
    public byte VesaLfbRedPos;

    /// <summary><c>u.vesa_lfb.red_size</c>.</summary>
    [FieldOffset(0x15)]
    public byte VesaLfbRedSize;

    /// <summary><c>u.vesa_lfb.green_pos</c>.</summary>
    [FieldOffset(0x16)]
    public byte VesaLfbGreenPos;

    /// <summary><c>u.vesa_lfb.green_size</c>.</summary>
    [FieldOffset(0x17)]
    public byte VesaLfbGreenSize;

    /// <summary><c>u.vesa_lfb.blue_pos</c>.</summary>
    [FieldOffset(0x18)]
    public byte VesaLfbBluePos;

    /// <summary><c>u.vesa_lfb.blue_size</c>.</summary>
    [FieldOffset(0x19)]
    public byte VesaLfbBlueSize;

    /// <summary><c>u.vesa_lfb.rsvd_pos</c>.</summary>
    [FieldOffset(0x1a)]
    public byte VesaLfbRsvdPos;

    /// <summary><c>u.vesa_lfb.rsvd_size</c>.</summary>
    [FieldOffset(0x1b)]
    public byte VesaLfbRsvdSize;

    /// <summary><c>u.vesa_lfb.gbl_caps</c>.</summary>
    [FieldOffset(0x1c)]
    public uint VesaLfbGblCaps;

    /// <summary><c>u.vesa_lfb.mode_attrs</c>.</summary>
    [FieldOffset(0x20)]
    public ushort VesaLfbModeAttrs;

    /// <summary><c>u.vesa_lfb.pad</c>.</summary>
    [FieldOffset(0x22)]
    public ushort VesaLfbPad;

    /// <summary><c>u.vesa_lfb.ext_lfb_base</c>: upper half of the address.</summary>
    [FieldOffset(0x24)]
    public uint VesaLfbExtLfbBase;
}

/// <summary><c>XEN_VGATYPE_*</c>: kind of screen.</summary>
public enum VgaConsoleType : byte
{
    /// <summary><c>XEN_VGATYPE_TEXT_MODE_3</c>.</summary>
    TextMode3 = 0x3,

    /// <summary><c>XEN_VGATYPE_VESA_LFB</c>.</summary>
    VesaLfb = 0x23,

    /// <summary><c>XEN_VGATYPE_EFI_LFB</c>.</summary>
    EfiLfb = 0x70,
}
