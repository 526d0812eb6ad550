// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Xend.Tests;

/// <summary>A console's shared page, seen from the guest's side.</summary>
internal sealed unsafe class FakeRing : IDisposable
{
    private readonly byte* _page = (byte*)NativeMemory.AllocZeroed(4096);

    public ref ConsoleInterface Shared => ref *(ConsoleInterface*)_page;

    public int Released { get; private set; }

    /// <summary>The tools' side; any number of them, one after the other.</summary>
    public ConsoleRing Open() => new(Map());

    /// <summary>The page, as the tools' side maps it.</summary>
    public NativeRegion Map() => new((nint)_page, 4096, (_, _) => Released++);

    /// <summary>The guest writes as much as finds room.</summary>
    public int Say(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int count = 0;
        while (count < bytes.Length && Shared.OutProd - Shared.OutCons < 2048)
        {
            Shared.Out[Shared.OutProd++ % 2048] = bytes[count++];
        }

        return count;
    }

    /// <summary>The guest reads what there is.</summary>
    public string Hear()
    {
        StringBuilder text = new();
        while (Shared.InCons != Shared.InProd)
        {
            _ = text.Append((char)Shared.In[Shared.InCons++ % 1024]);
        }

        return text.ToString();
    }

    public void Dispose() => NativeMemory.Free(_page);
}
