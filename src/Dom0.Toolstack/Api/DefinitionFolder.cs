// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;

namespace Dom0.Toolstack.Api;

/// <summary>Where the daemon keeps the definitions of registered domains, a file for each.</summary>
public static class DefinitionFolder
{
    /// <summary>This host's.</summary>
    public const string Host = "/var/lib/xend/domains";

    /// <summary>Is there surely no definition? Then there is nothing to ask the daemon for.</summary>
    public static bool IsEmpty(string folder)
    {
        try
        {
            return !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
