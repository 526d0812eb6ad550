// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Dom0.Xend;

/// <summary>The processes of the daemon, by the word that starts each.</summary>
internal static class Roles
{
    /// <summary>Domains, consoles and the interface.</summary>
    public const string Domains = "domains";

    /// <summary>All, in the order in which they are started.</summary>
    public static IReadOnlyList<string> All { get; } = [Domains];
}
