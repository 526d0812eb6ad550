// SPDX-License-Identifier: MIT

namespace System.Runtime;

/// <summary>Marks what assembly files call; means nothing on the host, where there are none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RuntimeExportAttribute : Attribute
{
    public RuntimeExportAttribute(string entry) => Entry = entry;

    public string Entry { get; }
}
