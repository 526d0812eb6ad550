// SPDX-License-Identifier: MIT
//
// The console class of .NET starts a thread for signals and asks the terminal what it can, with the first byte written.
// A command that prints a table and ends needs neither, and would spend more time on them than on the table.
using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Interop;

/// <summary>Whoever read what a program writes has gone.</summary>
public sealed class BrokenPipeException() : IOException("nobody reads the output any more");

/// <summary>Standard output or error of this process, written without buffering.</summary>
public sealed unsafe class StandardStream : Stream
{
    private const int OutputNumber = 1;
    private const int ErrorNumber = 2;

    private readonly int _number;

    private StandardStream(int number) => _number = number;

    /// <summary>Standard output.</summary>
    public static StandardStream Output => new(OutputNumber);

    /// <summary>Standard error.</summary>
    public static StandardStream Errors => new(ErrorNumber);

    /// <summary>Does somebody sit at the other end?</summary>
    public bool IsTerminal => Libc.IsTerminal(_number) == 1;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            for (int done = 0; done < buffer.Length;)
            {
                nint count = Libc.Write(_number, pointer + done, (nuint)(buffer.Length - done));
                if (count >= 0)
                {
                    done += (int)count;
                    continue;
                }

                int errno = Marshal.GetLastPInvokeError();
                switch (errno)
                {
                    case LibcErrno.Interrupted:
                        break;
                    case LibcErrno.TryAgain:
                        // Whoever shares the terminal or the pipe with this process has made it so that writes do not wait.
                        Libc.PollEntry entry = new() { Descriptor = _number, Events = Libc.PollOut };
                        _ = Libc.Poll(&entry, 1, -1);
                        break;
                    case LibcErrno.BrokenPipe when _number == ErrorNumber:
                        // There is nobody to be told, and what the program does may matter all the same.
                        return;
                    case LibcErrno.BrokenPipe:
                        throw new BrokenPipeException();
                    default:
                        throw new IOException($"cannot write to {(_number == OutputNumber ? "standard output" : "standard error")}: "
                            + LibcErrno.Describe(errno));
                }
            }
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
