// SPDX-License-Identifier: MIT
// The primitive types. The compiler knows their operations; the bodies exist so that the names resolve. A type whose
// only field has its own type is how the runtime contract spells "this is the primitive itself".

namespace System;

public struct Void { }

public struct Boolean
{
    private bool _value;
}

public struct Char
{
    private char _value;
    public const char MaxValue = (char)0xFFFF;
}

public struct SByte
{
    private sbyte _value;
    public const sbyte MaxValue = 0x7F;
    public const sbyte MinValue = unchecked((sbyte)0x80);
}

public struct Byte
{
    private byte _value;
    public const byte MaxValue = 0xFF;
}

public struct Int16
{
    private short _value;
    public const short MaxValue = 0x7FFF;
    public const short MinValue = unchecked((short)0x8000);
}

public struct UInt16
{
    private ushort _value;
    public const ushort MaxValue = 0xFFFF;
}

public struct Int32
{
    private int _value;
    public const int MaxValue = 0x7FFFFFFF;
    public const int MinValue = unchecked((int)0x80000000);
}

public struct UInt32
{
    private uint _value;
    public const uint MaxValue = 0xFFFFFFFF;
    public const uint MinValue = 0;
}

public struct Int64
{
    private long _value;
    public const long MaxValue = 0x7FFFFFFFFFFFFFFF;
    public const long MinValue = unchecked((long)0x8000000000000000);
}

public struct UInt64
{
    private ulong _value;
    public const ulong MaxValue = 0xFFFFFFFFFFFFFFFF;
    public const ulong MinValue = 0;
}

public struct IntPtr
{
    private nint _value;
}

public struct UIntPtr
{
    private nuint _value;
}

public struct Single
{
    private float _value;
}

public struct Double
{
    private double _value;
}
