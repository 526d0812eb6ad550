// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;

namespace Xen.Abi.Tests;

/// <summary>The C names that the documentation of each item of Xen.Abi begins with.</summary>
internal static class Documentation
{
    private static readonly Lazy<Dictionary<string, string[]>> s_names = new(Read);

    /// <summary>The leading <c>&lt;c&gt;</c> elements of an identifier such as "F:Type.Member".</summary>
    public static string[] LeadingNames(string identifier) =>
        s_names.Value.TryGetValue(identifier, out string[] names) ? names : [];

    private static Dictionary<string, string[]> Read()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "Xen.Abi.xml");
        return XDocument.Load(file).Descendants("member").ToDictionary(
            member => member.Attribute("name").Value.Replace(":Xen.Abi.", ":"),
            member => Leading(member.Element("summary")));
    }

    private static string[] Leading(XElement summary)
    {
        List<string> names = [];
        foreach (XNode node in summary?.Nodes() ?? [])
        {
            if (node is XElement element && element.Name == "c")
            {
                names.Add(element.Value);
            }
            else if (node is not XText text || text.Value.Trim() is not ("" or ","))
            {
                break;
            }
        }
        return names.ToArray();
    }
}
