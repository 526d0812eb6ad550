// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public sealed class Node
{
    public int Value;
}

public static class ReferenceStatic
{
    private static Node s_node;

    [RuntimeExport("sample")]
    public static unsafe int Run(nint node)
    {
        s_node = *(Node*)&node;
        return s_node.Value;
    }
}
