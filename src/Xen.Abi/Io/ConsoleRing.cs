// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary>
/// <c>struct xencons_interface</c>: console ring: the guest reads from one half and writes to the other; indices run
/// freely and are taken modulo the size.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ConsoleInterface
{
    /// <summary><c>in</c>: from console to guest.</summary>
    public fixed byte In[1024];

    /// <summary><c>out</c>: from guest to console.</summary>
    public fixed byte Out[2048];

    /// <summary><c>in_cons</c>: written by the guest.</summary>
    public uint InCons;

    /// <summary><c>in_prod</c>: written by the console.</summary>
    public uint InProd;

    /// <summary><c>out_cons</c>: written by the console.</summary>
    public uint OutCons;

    /// <summary><c>out_prod</c>: written by the guest.</summary>
    public uint OutProd;
}
