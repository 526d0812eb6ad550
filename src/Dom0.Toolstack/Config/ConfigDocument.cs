// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Dom0.Toolstack.Config;

/// <summary>What a configuration file sets, in the order in which it sets it.</summary>
public sealed class ConfigDocument
{
    private readonly Dictionary<string, ConfigValue> _values;
    private readonly List<string> _order;
    private readonly HashSet<string> _helpers;

    internal ConfigDocument(
        string file, Dictionary<string, ConfigValue> values, List<string> order, HashSet<string> helpers)
    {
        File = file;
        _values = values;
        _order = order;
        _helpers = helpers;
    }

    /// <summary>The file's name as error messages give it.</summary>
    public string File { get; }

    /// <summary>The names that the file sets, first set first.</summary>
    public IReadOnlyList<string> Names => _order;

    /// <summary>The value of a name, or null when nothing sets it.</summary>
    public ConfigValue? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>True for a name that exists for the file's own sake: another line of it uses the name.</summary>
    public bool IsHelper(string name) => _helpers.Contains(name);
}
