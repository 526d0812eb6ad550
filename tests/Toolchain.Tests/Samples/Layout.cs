// SPDX-License-Identifier: MIT
// Each method gives an offset; they are in the order of the fields.
using System.Runtime;

namespace Sample;

public static unsafe class Layout
{
    [RuntimeExport("offset_Flag")]
    public static nint Flag(Shape* shape) => (nint)(&shape->Flag) - (nint)shape;

    [RuntimeExport("offset_Small")]
    public static nint Small(Shape* shape) => (nint)(&shape->Small) - (nint)shape;

    [RuntimeExport("offset_Tiny")]
    public static nint Tiny(Shape* shape) => (nint)(&shape->Tiny) - (nint)shape;

    [RuntimeExport("offset_Pointer")]
    public static nint Pointer(Shape* shape) => (nint)(&shape->Pointer) - (nint)shape;

    [RuntimeExport("offset_OtherFlag")]
    public static nint OtherFlag(Shape* shape) => (nint)(&shape->OtherFlag) - (nint)shape;

    [RuntimeExport("offset_Words")]
    public static nint Words(Shape* shape) => (nint)shape->Words - (nint)shape;

    [RuntimeExport("offset_Overlay")]
    public static nint Overlay(Shape* shape) => (nint)(&shape->Overlay) - (nint)shape;

    [RuntimeExport("offset_Last")]
    public static nint Last(Shape* shape) => (nint)(&shape->Last) - (nint)shape;

    [RuntimeExport("offset_Size")]
    public static nint Size(Shape* shape) => sizeof(Shape);
}
