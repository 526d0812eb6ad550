// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// LZMA2: a run of chunks, each stored or LZMA-coded, that a zero byte ends. The control byte of a chunk says what is
/// reset before it: nothing, the state, the state with new properties, or all of it and the dictionary.
/// </summary>
internal static unsafe class Lzma2Stream
{
    private const byte ControlEnd = 0x00;
    private const byte ControlStoredNewDictionary = 0x01;
    private const byte ControlStored = 0x02;
    private const byte ControlCoded = 0x80;
    private const byte ControlCodedNewState = 0xA0;
    private const byte ControlCodedNewProperties = 0xC0;
    private const byte ControlCodedNewDictionary = 0xE0;

    /// <summary>Decodes up to and including the end marker.</summary>
    /// <param name="model">Work memory; what it holds does not matter.</param>
    /// <param name="tail"><see cref="LzmaChunk.TailSize"/> bytes of work memory.</param>
    /// <param name="input">First control byte; on success moved past the end marker.</param>
    /// <param name="inputEnd">End of the readable bytes.</param>
    /// <param name="output">Where to write; on success moved past the last byte written.</param>
    /// <param name="outputEnd">End of the writable bytes.</param>
    public static ImageError Decode(
        LzmaModel* model,
        byte* tail,
        ref byte* input,
        byte* inputEnd,
        ref byte* output,
        byte* outputEnd)
    {
        byte* cursor = input;
        byte* target = output;
        byte* dictionary = target;
        bool needsDictionary = true;
        bool needsProperties = true;
        bool needsState = true;

        while (true)
        {
            if (cursor == inputEnd)
            {
                return ImageError.Truncated;
            }

            byte control = *cursor++;
            if (control == ControlEnd)
            {
                break;
            }

            nuint available = (nuint)(inputEnd - cursor);
            nuint room = (nuint)(outputEnd - target);
            if (control >= ControlCodedNewDictionary || control == ControlStoredNewDictionary)
            {
                dictionary = target;
                needsDictionary = false;
                needsProperties = true;
                needsState = true;
            }
            else if (needsDictionary)
            {
                return ImageError.XzBadChunk;
            }

            if (control < ControlCoded)
            {
                if (control > ControlStored)
                {
                    return ImageError.XzBadChunk;
                }

                if (available < 2)
                {
                    return ImageError.Truncated;
                }

                nuint storedLength = (((nuint)cursor[0] << 8) | cursor[1]) + 1;
                if (storedLength > available - 2)
                {
                    return ImageError.Truncated;
                }

                if (storedLength > room)
                {
                    return ImageError.OutputTooSmall;
                }

                ByteCopy.Forward(target, cursor + 2, storedLength);
                cursor += storedLength + 2;
                target += storedLength;
                continue;
            }

            nuint headerLength = control >= ControlCodedNewProperties ? (nuint)5 : 4;
            if (available < headerLength)
            {
                return ImageError.Truncated;
            }

            nuint unpackedLength = (((nuint)(control & 0x1F) << 16) | ((nuint)cursor[0] << 8) | cursor[1]) + 1;
            nuint packedLength = (((nuint)cursor[2] << 8) | cursor[3]) + 1;
            if (control >= ControlCodedNewProperties)
            {
                if (!LzmaModel.SetProperties(model, cursor[4]))
                {
                    return ImageError.XzBadChunk;
                }

                needsProperties = false;
            }
            else if (needsProperties)
            {
                return ImageError.XzBadChunk;
            }

            if (control >= ControlCodedNewState)
            {
                LzmaModel.Reset(model);
                needsState = false;
            }
            else if (needsState)
            {
                return ImageError.XzBadChunk;
            }

            if (packedLength > available - headerLength)
            {
                return ImageError.Truncated;
            }

            if (unpackedLength > room)
            {
                return ImageError.OutputTooSmall;
            }

            cursor += headerLength;
            ImageError error = LzmaChunk.Decode(
                model, cursor, packedLength, dictionary, target, unpackedLength, tail);
            if (error != ImageError.Ok)
            {
                return error;
            }

            cursor += packedLength;
            target += unpackedLength;
        }

        input = cursor;
        output = target;
        return ImageError.Ok;
    }
}
