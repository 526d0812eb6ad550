// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary>
/// <c>struct *_sring</c>: head of the page that a front end and a back end share; the slots follow at offset 64.
/// Indices run freely and are taken modulo the number of slots, which is a power of two.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SharedRing
{
    /// <summary><c>req_prod</c>: requests the front end has made.</summary>
    public uint ReqProd;

    /// <summary><c>req_event</c>: the back end wants an event when <see cref="ReqProd"/> passes this.</summary>
    public uint ReqEvent;

    /// <summary><c>rsp_prod</c>: answers the back end has made.</summary>
    public uint RspProd;

    /// <summary><c>rsp_event</c>: the front end wants an event when <see cref="RspProd"/> passes this.</summary>
    public uint RspEvent;

    /// <summary><c>pvt</c>: private to the front end.</summary>
    public fixed byte Pvt[4];

    /// <summary><c>__pad</c>.</summary>
    public fixed byte Pad[44];
}
