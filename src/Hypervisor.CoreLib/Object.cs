// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace System;

/// <summary>The root of the type system. Its one field is the method table pointer that frozen string literals carry.</summary>
public unsafe class Object
{
    internal void* _methodTable;

    public virtual bool Equals(object other) => false;

    public virtual int GetHashCode() => 0;

    public virtual string ToString() => null;
}

public abstract class ValueType { }

public abstract class Enum : ValueType { }

public struct Nullable<T>
    where T : struct
{
    private readonly bool _hasValue;
    private readonly T _value;

    public Nullable(T value)
    {
        _hasValue = true;
        _value = value;
    }

    public readonly bool HasValue => _hasValue;

    public readonly T GetValueOrDefault() => _value;
}

/// <summary>A string literal: a frozen object in read-only data, allowed for assertion text.</summary>
public sealed class String
{
    private readonly int _length;
    private readonly char _firstCharacter;

    public int Length => _length;

    public unsafe char this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)index >= (uint)_length)
            {
                ThrowHelpers.Panic();
            }

            fixed (char* first = &_firstCharacter)
            {
                return first[index];
            }
        }
    }

    public ref readonly char GetPinnableReference() => ref _firstCharacter;
}

public abstract class Array
{
    private readonly int _length;

    public int Length => _length;
}

internal class Array<T> : Array { }

public abstract class Delegate { }

public abstract class MulticastDelegate : Delegate { }

public abstract class Attribute { }

public class Exception { }

public struct RuntimeTypeHandle
{
    private IntPtr _value;
}

public struct RuntimeMethodHandle
{
    private IntPtr _value;
}

public struct RuntimeFieldHandle
{
    private IntPtr _value;
}

public abstract class Type { }

public interface IDisposable
{
    void Dispose();
}

public interface IEquatable<T>
{
    bool Equals(T other);
}
