// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public sealed class Node
{
    public Node Next;
}

public static class ReferenceField
{
    [RuntimeExport("sample")]
    public static unsafe void Run(nint first, nint second)
    {
        Node node = *(Node*)&first;
        node.Next = *(Node*)&second;
    }
}
