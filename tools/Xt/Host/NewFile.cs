// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace Xt.Host;

/// <summary>
/// Makes a file appear whole or not at all: it is written beside its place and then renamed, so that two drivers that
/// run at once, or one that is interrupted, never leave half a file where a cache would find it.
/// </summary>
public static class NewFile
{
    public static string Write(string path, Action<string> write)
    {
        string draft = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}.new";
        try
        {
            write(draft);
            File.Move(draft, path, true);
            return path;
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
