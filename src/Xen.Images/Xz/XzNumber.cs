// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// The variable-length integer of XZ: seven bits a byte, least significant first, at most nine bytes, no needless
/// zero byte at the end.
/// </summary>
internal static unsafe class XzNumber
{
    private const int BytesLimit = 9;

    public static ImageError Read(ref byte* cursor, byte* end, out ulong value)
    {
        value = 0;
        for (int index = 0; index < BytesLimit; index++)
        {
            if (cursor == end)
            {
                return ImageError.Truncated;
            }

            byte digit = *cursor++;
            value |= (ulong)(digit & 0x7F) << (index * 7);
            if ((digit & 0x80) == 0)
            {
                return digit == 0 && index != 0 ? ImageError.XzBadNumber : ImageError.Ok;
            }
        }

        return ImageError.XzBadNumber;
    }
}
