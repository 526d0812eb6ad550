// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Migration;

/// <summary>What the file system objected to, in words that do not need the framework's texts.</summary>
internal static class FileFailures
{
    /// <summary>Is the failure one of a file, and not of a program?</summary>
    public static bool IsOne(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>The failure as a part of a sentence.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        FileNotFoundException => "it does not exist",
        DirectoryNotFoundException => "its directory does not exist",
        UnauthorizedAccessException => "access to it is denied",
        EndOfStreamException => "it became shorter while it was read",
        { HResult: > 0 and < 4096 } => LibcErrno.Describe(failure.HResult),
        _ => failure.Message,
    };

    /// <summary>Opens a file to be read from any place.</summary>
    public static FileStream Open(string path)
    {
        try
        {
            FileStream stream = new(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                BufferSize = 0,
            });
            if (stream.CanSeek)
            {
                return stream;
            }

            stream.Dispose();
            throw new ToolstackException($"{path} is no ordinary file: it has to be read more than once");
        }
        catch (Exception failure) when (IsOne(failure))
        {
            throw new ToolstackException($"cannot read {path}: {Describe(failure)}", null, failure);
        }
    }

    /// <summary>Removes a file if that is possible.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (IsOne(failure))
        {
            // It is a draft; the failure that made it useless is the one to report.
        }
    }
}
