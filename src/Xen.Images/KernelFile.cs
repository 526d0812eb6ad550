// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>What a kernel file was recognised as, and where in it the ELF kernel is, packed or not.</summary>
public struct KernelFile
{
    public bool IsBzImage;
    public PayloadFormat Format;
    public nuint PayloadOffset;
    public nuint PayloadLength;
}
