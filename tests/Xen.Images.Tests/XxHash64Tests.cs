// SPDX-License-Identifier: MIT
using System;
using System.Text;
using Xunit;

namespace Xen.Images.Tests;

public sealed unsafe class XxHash64Tests
{
    /// <summary>The published values. Longer texts: zstd checks its frames by them (ZstdTests).</summary>
    [Theory]
    [InlineData("", 0xEF46DB3751D8E999)]
    [InlineData("a", 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0x44BC2CF5AD770999)]
    public void Known_texts_have_the_published_hash(string text, ulong expected) =>
        Assert.Equal(expected, Hash(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Pieces_of_any_length_hash_as_the_whole()
    {
        Random random = new(1);
        byte[] data = new byte[300];
        random.NextBytes(data);
        for (int round = 0; round < 2000; round++)
        {
            int length = random.Next(data.Length + 1);
            XxHash64 hash = default;
            hash.Start();
            fixed (byte* start = data)
            {
                for (int done = 0; done < length;)
                {
                    int piece = random.Next(Math.Min(length - done, 80) + 1);
                    hash.Append(start + done, (nuint)piece);
                    done += piece;
                }
            }

            Assert.Equal(Hash(data.AsSpan(0, length)), hash.Finish());
        }
    }

    private static ulong Hash(ReadOnlySpan<byte> data)
    {
        fixed (byte* start = data)
        {
            return XxHash64.Compute(start, (nuint)data.Length);
        }
    }
}
