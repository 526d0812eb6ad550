// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System.Collections.Generic;

/// <summary>Writes bits into bytes, least significant bit first, to make streams that no packer makes.</summary>
public sealed class BitWriter
{
    private readonly List<byte> _bytes = [];
    private int _used = 8;

    public BitWriter Add(int value, int count)
    {
        for (int bit = 0; bit < count; bit++)
        {
            if (_used == 8)
            {
                _bytes.Add(0);
                _used = 0;
            }

            _bytes[^1] |= (byte)(((value >> bit) & 1) << _used);
            _used++;
        }

        return this;
    }

    /// <summary>A Huffman code of deflate: most significant bit first.</summary>
    public BitWriter AddCode(int code, int count)
    {
        for (int bit = count - 1; bit >= 0; bit--)
        {
            _ = Add(code >> bit, 1);
        }

        return this;
    }

    public BitWriter Align()
    {
        _used = 8;
        return this;
    }

    public byte[] ToArray() => [.. _bytes];
}
