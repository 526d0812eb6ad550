// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Text;

namespace Xt.Image;

/// <summary>
/// Writes the "newc" archive format that Linux unpacks as its first root file system. Owner is always root, times are
/// zero and inode numbers count up, so that the same tree gives the same bytes; device nodes need no privilege here.
/// Several archives may follow each other in one file: the kernel unpacks them in turn.
/// </summary>
public sealed class CpioWriter
{
    private const int Alignment = 4;

    private readonly Stream _stream;
    private int _inode;
    private long _position;

    public CpioWriter(Stream stream) => _stream = stream;

    public void Folder(string path, int mode = 0x1ed) => Header(path, 0x4000 | mode, 0, 2, 0, 0);

    public void File(string path, int mode, ReadOnlySpan<byte> content)
    {
        Header(path, 0x8000 | mode, content.Length, 1, 0, 0);
        Body(content);
    }

    public void Link(string path, string target)
    {
        byte[] content = Encoding.UTF8.GetBytes(target);
        Header(path, 0xa000 | 0x1ff, content.Length, 1, 0, 0);
        Body(content);
    }

    public void CharacterDevice(string path, int major, int minor) => Header(path, 0x2000 | 0x180, 0, 1, major, minor);

    public void Finish() => Header("TRAILER!!!", 0, 0, 1, 0, 0);

    private void Header(string path, int mode, int size, int links, int major, int minor)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        int inode = mode == 0 ? 0 : ++_inode;
        int[] fields = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, name.Length + 1, 0];
        StringBuilder header = new("070701");
        foreach (int field in fields)
        {
            _ = header.Append(field.ToString("X8", CultureInfo.InvariantCulture));
        }

        Put(Encoding.ASCII.GetBytes(header.ToString()));
        Put(name);
        Put([0]);
        Pad();
    }

    private void Body(ReadOnlySpan<byte> content)
    {
        Put(content);
        Pad();
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _position += bytes.Length;
    }

    private void Pad()
    {
        while (_position % Alignment != 0)
        {
            Put([0]);
        }
    }
}
