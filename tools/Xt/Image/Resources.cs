// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Xt.Image;

/// <summary>Files that travel inside the driver: the scripts of Domain-0 and of the guests, from tools/Xt.</summary>
public static class Resources
{
    private static readonly Assembly s_assembly = typeof(Resources).Assembly;

    public static string Text(string name)
    {
        using StreamReader reader = new(s_assembly.GetManifestResourceStream(name)
            ?? throw new XtException($"The driver was built without its resource {name}."));
        return reader.ReadToEnd();
    }

    public static IEnumerable<string> Below(string folder) =>
        s_assembly.GetManifestResourceNames().Where(name => name.StartsWith(folder, System.StringComparison.Ordinal));
}
