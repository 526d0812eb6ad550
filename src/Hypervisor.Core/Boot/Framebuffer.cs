// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>What the screen shows when the loader hands over.</summary>
public enum FramebufferKind
{
    /// <summary>The loader says nothing: on a PC with BIOS, 80×25 text.</summary>
    Unknown = 0,
    Indexed,
    DirectColour,
    EgaText,
}

/// <summary>Screen memory as the loader describes it.</summary>
public struct Framebuffer
{
    public FramebufferKind Kind;
    public ulong Address;

    /// <summary>Bytes from one row to the next.</summary>
    public uint Pitch;

    /// <summary>Pixels, or characters of a text screen.</summary>
    public uint Width;
    public uint Height;
    public byte BitsPerPixel;
    public byte RedPosition;
    public byte RedSize;
    public byte GreenPosition;
    public byte GreenSize;
    public byte BluePosition;
    public byte BlueSize;

    /// <summary>VBE mode number, or 0.</summary>
    public ushort VbeMode;

    /// <summary>Of the VBE information block and of the mode's; 0 where the loader passed none.</summary>
    public uint VbeCapabilities;
    public ushort VbeModeAttributes;
}
