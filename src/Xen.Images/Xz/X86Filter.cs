// SPDX-License-Identifier: MIT
namespace Xen.Images;

// Theory. Before compression the encoder replaced the 32-bit relative operand of x86 CALL (E8h) and JMP (E9h) by the
// absolute address, for the same target then looks the same from everywhere. It knows nothing of instruction
// boundaries, so both sides follow one rule that depends only on bytes both can see:
//
// * an operand is a candidate if its top byte is 00h or FFh (a distance under 16 MiB either way), and only 25 bits of
//   it are converted, sign extended, so that its top byte stays 00h or FFh;
// * an E8h/E9h within the three bytes before, left alone, makes the reading ambiguous: its own operand overlaps this
//   one. If there is more than one such byte, or the one's own top operand byte is 00h or FFh, this one is left alone.
//   Otherwise it is converted, and should the result put 00h or FFh where the other's top operand byte lies, then the
//   bytes below are complemented and it is converted once more, which makes the rule reversible.

/// <summary>Undoes the x86 branch filter of XZ (filter id 4) in place.</summary>
internal static unsafe class X86Filter
{
    private const int OperandSize = 4;
    private const ulong EachByte = 0x0101_0101_0101_0101;

    /// <param name="data">The whole unfiltered output of a block.</param>
    /// <param name="length">Its size.</param>
    /// <param name="startOffset">The address that the first byte is taken to have.</param>
    public static void Decode(byte* data, nuint length, uint startOffset)
    {
        if (length <= OperandSize)
        {
            return;
        }

        byte* cursor = data;
        byte* end = data + (length - OperandSize);
        byte* wideEnd = length - OperandSize >= 8 ? end - 8 : data;

        // Bit k-1: there is an opcode byte left alone k bytes before 'marked'. Aligned to the cursor when used.
        uint passed = 0;
        byte* marked = data;

        while (true)
        {
            // Eight bytes at a step over what is neither E8h nor E9h.
            while (cursor < wideEnd)
            {
                ulong different = (*(ulong*)cursor & (0xFE * EachByte)) ^ (0xE8 * EachByte);
                ulong found = (different - EachByte) & ~different & (0x80 * EachByte);
                if (found != 0)
                {
                    // The lowest mark is exact; the bytes up to it, counted, less itself.
                    cursor += ((((found ^ (found - 1)) & EachByte) * EachByte) >> 56) - 1;
                    break;
                }

                cursor += 8;
            }

            while (cursor < end && (*cursor & 0xFE) != 0xE8)
            {
                cursor++;
            }

            if (cursor >= end)
            {
                return;
            }

            nuint gap = (nuint)(cursor - marked);
            passed = gap > 3 ? 0 : (passed << (int)gap) & 7;
            marked = cursor;

            // How far back the one ambiguous opcode is, 0 for none, or 3 and more than one bit: leave alone.
            bool convert = IsSignByte(cursor[OperandSize]);
            int distance = 0;
            if (passed != 0)
            {
                distance = passed == 1 ? 1 : passed == 2 ? 2 : 3;
                convert &= (passed & (passed - 1)) == 0 && !IsSignByte(cursor[OperandSize - distance]);
            }

            if (!convert)
            {
                // Seen from the next byte this opcode is one byte back.
                passed = (passed << 1) | 1;
                marked++;
                cursor++;
                continue;
            }

            uint next = startOffset + (uint)(cursor - data) + 1 + OperandSize;
            uint operand = *(uint*)(cursor + 1) - next;
            if (distance != 0)
            {
                int position = (OperandSize - 1 - distance) * 8;
                if (IsSignByte((byte)(operand >> position)))
                {
                    operand = (operand ^ ((1u << (position + 8)) - 1)) - next;
                }
            }

            *(uint*)(cursor + 1) = (uint)((int)(operand << 7) >> 7);
            cursor += 1 + OperandSize;
            marked = cursor;
            passed = 0;
        }
    }

    private static bool IsSignByte(byte value) => (byte)(value + 1) <= 1;
}
