// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Dom0.Xend.Supervisor;

/// <summary>Texts as the C library's <c>char **</c>, ended by a null pointer.</summary>
internal sealed unsafe class TextArray : IDisposable
{
    private readonly int _count;

    /// <summary>Copies the texts.</summary>
    public TextArray(IReadOnlyList<string> texts)
    {
        _count = texts.Count;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (int index = 0; index < texts.Count; index++)
        {
            Pointer[index] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[index]);
        }
    }

    /// <summary>The array.</summary>
    public byte** Pointer { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int index = 0; index < _count; index++)
        {
            Marshal.FreeCoTaskMem((nint)Pointer[index]);
        }

        NativeMemory.Free(Pointer);
    }
}
