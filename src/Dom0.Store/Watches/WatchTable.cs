// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Store.Watches;

/// <summary>All watches, by the path that they watch.</summary>
public sealed class WatchTable
{
    private readonly Dictionary<string, List<Watch>> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Watch>>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>An empty table.</summary>
    public WatchTable() => _lookup = _byPath.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Is nothing watched?</summary>
    public bool IsEmpty => _byPath.Count == 0;

    /// <summary>Adds a watch.</summary>
    public void Add(Watch watch)
    {
        if (!_byPath.TryGetValue(watch.Path, out List<Watch>? watches))
        {
            _byPath.Add(watch.Path, watches = []);
        }

        watches.Add(watch);
    }

    /// <summary>Removes a watch.</summary>
    public void Remove(Watch watch)
    {
        if (_byPath.TryGetValue(watch.Path, out List<Watch>? watches) && watches.Remove(watch) && watches.Count == 0)
        {
            _ = _byPath.Remove(watch.Path);
        }
    }

    /// <summary>Adds to <paramref name="found"/> the watches at exactly that path.</summary>
    public void FindAt(ReadOnlySpan<char> path, List<Watch> found)
    {
        if (_lookup.TryGetValue(path, out List<Watch>? watches))
        {
            found.AddRange(watches);
        }
    }

    /// <summary>Adds to <paramref name="found"/> the watches at that path and at all above it.</summary>
    public void FindAbove(string path, List<Watch> found)
    {
        FindAt(path, found);
        for (int end = path.LastIndexOf('/'); end > 0; end = path.LastIndexOf('/', end - 1))
        {
            FindAt(path.AsSpan(0, end), found);
        }

        if (path.Length > 1 && path[0] == '/')
        {
            FindAt("/", found);
        }
    }
}
