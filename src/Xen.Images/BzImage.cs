// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// The x86 boot image of Linux (Documentation/arch/x86/boot.rst): real-mode sectors with a header that says, since
/// protocol 2.08, where in the protected-mode part the packed ELF kernel is.
/// </summary>
public static unsafe class BzImage
{
    private const nuint SetupSectorCount = 0x1F1;
    private const nuint BootFlag = 0x1FE;
    private const nuint Signature = 0x202;
    private const nuint ProtocolVersion = 0x206;
    private const nuint PayloadOffset = 0x248;
    private const nuint PayloadLength = 0x24C;
    private const nuint HeaderEnd = 0x250;
    private const ushort BootFlagValue = 0xAA55;
    private const uint SignatureValue = 0x53726448;
    private const ushort FirstVersionWithPayload = 0x0208;
    private const nuint SectorSize = 512;
    private const nuint OldSectorCount = 4;

    public static bool HasMagic(byte* file, nuint length) =>
        length >= HeaderEnd
        && *(ushort*)(file + BootFlag) == BootFlagValue
        && *(uint*)(file + Signature) == SignatureValue;

    /// <summary>Finds the packed kernel in a file that <see cref="HasMagic"/> has recognised.</summary>
    public static ImageError FindPayload(byte* file, nuint length, out nuint offset, out nuint payloadLength)
    {
        offset = 0;
        payloadLength = 0;
        if (*(ushort*)(file + ProtocolVersion) < FirstVersionWithPayload)
        {
            return ImageError.BootProtocolTooOld;
        }

        // No sum here can wrap: 256 sectors and a 32-bit offset.
        nuint sectors = file[SetupSectorCount] == 0 ? OldSectorCount : file[SetupSectorCount];
        nuint start = ((sectors + 1) * SectorSize) + *(uint*)(file + PayloadOffset);
        nuint size = *(uint*)(file + PayloadLength);
        if (size == 0 || start > length || size > length - start)
        {
            return ImageError.PayloadOutOfRange;
        }

        offset = start;
        payloadLength = size;
        return ImageError.Ok;
    }
}
