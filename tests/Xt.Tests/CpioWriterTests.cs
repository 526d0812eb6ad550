// SPDX-License-Identifier: MIT
using System.IO;
using System.Linq;
using System.Text;
using Xt.Image;
using Xunit;

namespace Xt.Tests;

public sealed class CpioWriterTests
{
    [Fact]
    public void A_file_has_the_header_that_Linux_reads()
    {
        using MemoryStream stream = new();
        CpioWriter archive = new(stream);
        archive.File("a/b", 0x1a4, "hello"u8);
        archive.Finish();
        byte[] bytes = stream.ToArray();

        // Magic, inode 1, mode 100644, root's, one link, no time, 5 bytes, no devices, name of 4 bytes with its zero.
        string header = "070701" + "00000001" + "000081A4" + "00000000" + "00000000" + "00000001" + "00000000"
            + "00000005" + "00000000" + "00000000" + "00000000" + "00000000" + "00000004" + "00000000";
        Assert.Equal(header, Encoding.ASCII.GetString(bytes, 0, header.Length));
        Assert.Equal("a/b\0", Encoding.ASCII.GetString(bytes, 110, 4));
        // 110 + 4 bytes, padded to 116; then five bytes, padded to 124.
        Assert.Equal("hello\0\0\0", Encoding.ASCII.GetString(bytes, 116, 8));
        Assert.Equal("070701", Encoding.ASCII.GetString(bytes, 124, 6));
        Assert.Contains("TRAILER!!!", Encoding.ASCII.GetString(bytes));
        Assert.Equal(0, bytes.Length % 4);
    }

    [Fact]
    public void Inode_numbers_differ_so_that_nothing_looks_like_a_hard_link()
    {
        using MemoryStream stream = new();
        CpioWriter archive = new(stream);
        archive.Folder("d");
        archive.Link("d/l", "/x");
        archive.CharacterDevice("d/c", 5, 1);
        archive.Finish();
        string text = Encoding.ASCII.GetString(stream.ToArray());

        string[] inodes = [.. text.Split("070701").Skip(1).SkipLast(1).Select(part => part[..8])];
        Assert.Equal(["00000001", "00000002", "00000003"], inodes);
    }
}
