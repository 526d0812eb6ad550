// SPDX-License-Identifier: MIT
// Types and methods that ILCompiler looks up by name. Each is here because a compilation without it failed.

using System.Runtime;
using System.Runtime.CompilerServices;

namespace System
{
    /// <summary>Asked for by every compilation, used by none of ours.</summary>
    internal static class Buffer
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_BulkMoveWithWriteBarrier")]
        internal static extern void BulkMoveWithWriteBarrier(ref byte destination, ref byte source, nuint length);
    }

    public static class RuntimeImports { }

    /// <summary>Memory operations that struct copies and zeroing call; bodies in <c>runtime.asm</c>.</summary>
    internal static unsafe class SpanHelpers
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "memmove")]
        internal static extern void Memmove(ref byte destination, ref byte source, nuint length);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "memzero")]
        internal static extern void ClearWithoutReferences(ref byte destination, nuint length);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "memfill")]
        internal static extern void Fill(ref byte destination, byte value, nuint length);
    }

    /// <summary>Where our own core library stops the machine.</summary>
    internal static class ThrowHelpers
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "panic_runtime_check")]
        internal static extern void Panic();

        /// <summary>A link error: nothing in ring 0 makes an array.</summary>
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_Array")]
        internal static extern void ArrayNeeded();
    }

    public sealed class IndexOutOfRangeException : Exception { }

    public sealed class NullReferenceException : Exception { }

    public sealed class DivideByZeroException : Exception { }

    public sealed class OverflowException : Exception { }

    public sealed class PlatformNotSupportedException : Exception { }
}

namespace System.Runtime
{
    /// <summary>Casts of classes: a link error names the offence.</summary>
    internal static unsafe class TypeCast
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_CheckCastInterface")]
        internal static extern object CheckCastInterface(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_CheckCastClass")]
        internal static extern object CheckCastClass(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_CheckCastClassSpecial")]
        internal static extern object CheckCastClassSpecial(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_CheckCastAny")]
        internal static extern object CheckCastAny(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_CheckCastArray")]
        internal static extern object CheckCastArray(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_IsInstanceOfInterface")]
        internal static extern object IsInstanceOfInterface(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_IsInstanceOfClass")]
        internal static extern object IsInstanceOfClass(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_IsInstanceOfAny")]
        internal static extern object IsInstanceOfAny(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_IsInstanceOfArray")]
        internal static extern object IsInstanceOfArray(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_IsInstanceOfException")]
        internal static extern bool IsInstanceOfException(void* targetType, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_StelemRef")]
        internal static extern void StelemRef(object[] array, nint index, object value);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_LdelemaRef")]
        internal static extern ref object LdelemaRef(object[] array, nint index, void* elementType);
    }

    internal static class InternalCalls { }
}

namespace System.Runtime.InteropServices
{
    internal static class IDynamicInterfaceCastable
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_DynamicInterfaceCastable")]
        internal static extern nint GetDynamicInterfaceImplementation(object instance, nint interfaceType, ushort slot);
    }
}

namespace System.Runtime.CompilerServices
{
    public static class RuntimeFeature
    {
        public const string UnmanagedSignatureCallingConvention = nameof(UnmanagedSignatureCallingConvention);
        public const string ByRefFields = nameof(ByRefFields);
        public const string ByRefLikeGenerics = nameof(ByRefLikeGenerics);
        public const string NumericIntPtr = nameof(NumericIntPtr);
        public const string VirtualStaticsInInterfaces = nameof(VirtualStaticsInInterfaces);
    }

    public static unsafe class RuntimeHelpers
    {
        public static int OffsetToStringData => 12;

        /// <summary>Turns constant data into a span; expanded by the compiler.</summary>
        [Intrinsic]
        public static extern ReadOnlySpan<T> CreateSpan<T>(RuntimeFieldHandle field);
    }

    public static unsafe class Unsafe
    {
        [Intrinsic]
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ref T Add<T>(ref T source, int elementOffset) =>
            ref *(T*)((byte*)AsPointer(ref source) + ((nint)elementOffset * sizeof(T)));

        [Intrinsic]
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void* AsPointer<T>(ref T value)
        {
            fixed (T* pointer = &value)
            {
                return pointer;
            }
        }
    }
}

namespace Internal.Runtime.CompilerHelpers
{
    /// <summary>Named by the scanner for constant tables; the code generator then expands them and calls nothing.</summary>
    internal static class LdTokenHelpers
    {
        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_TypeHandle")]
        internal static extern System.RuntimeTypeHandle GetRuntimeTypeHandle(nint type);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_MethodHandle")]
        internal static extern System.RuntimeMethodHandle GetRuntimeMethodHandle(nint method);

        [MethodImpl(MethodImplOptions.InternalCall)]
        [RuntimeImport("*", "FORBIDDEN_FieldHandle")]
        internal static extern System.RuntimeFieldHandle GetRuntimeFieldHandle(nint field);
    }

    /// <summary>What the compiler calls where .NET would throw. All end in one panic.</summary>
    internal static class ThrowHelpers
    {
        internal static void ThrowIndexOutOfRangeException() => System.ThrowHelpers.Panic();

        internal static void ThrowDivideByZeroException() => System.ThrowHelpers.Panic();

        internal static void ThrowOverflowException() => System.ThrowHelpers.Panic();

        internal static void ThrowNullReferenceException() => System.ThrowHelpers.Panic();

        internal static void ThrowPlatformNotSupportedException() => System.ThrowHelpers.Panic();

        internal static void ThrowFeatureBodyRemoved() => System.ThrowHelpers.Panic();

        internal static void ThrowArrayTypeMismatchException() => System.ThrowHelpers.Panic();

        internal static void ThrowArgumentException() => System.ThrowHelpers.Panic();

        internal static void ThrowArgumentOutOfRangeException() => System.ThrowHelpers.Panic();

        internal static void ThrowNotSupportedException() => System.ThrowHelpers.Panic();

        internal static void ThrowNotImplementedException() => System.ThrowHelpers.Panic();

        internal static void ThrowInvalidProgramException() => System.ThrowHelpers.Panic();

        internal static void ThrowInvalidProgramExceptionWithArgument() => System.ThrowHelpers.Panic();

        internal static void ThrowTypeLoadException() => System.ThrowHelpers.Panic();

        internal static void ThrowTypeLoadExceptionWithArgument() => System.ThrowHelpers.Panic();

        internal static void ThrowMissingMethodException() => System.ThrowHelpers.Panic();

        internal static void ThrowMissingFieldException() => System.ThrowHelpers.Panic();

        internal static void ThrowFileNotFoundException() => System.ThrowHelpers.Panic();

        internal static void ThrowBadImageFormatException() => System.ThrowHelpers.Panic();

        internal static void ThrowMarshalDirectiveException() => System.ThrowHelpers.Panic();

        internal static void ThrowAmbiguousMatchException() => System.ThrowHelpers.Panic();

        internal static void ThrowUnavailableType() => System.ThrowHelpers.Panic();

        internal static void ThrowBodyRemoved() => System.ThrowHelpers.Panic();

        internal static void ThrowInstanceBodyRemoved() => System.ThrowHelpers.Panic();
    }
}

namespace System.Threading
{
    /// <summary>Atomic operations; the code generator expands each to one locked instruction.</summary>
    public static class Interlocked
    {
        [Intrinsic]
        public static int CompareExchange(ref int location, int value, int comparand) =>
            CompareExchange(ref location, value, comparand);

        [Intrinsic]
        public static uint CompareExchange(ref uint location, uint value, uint comparand) =>
            CompareExchange(ref location, value, comparand);

        [Intrinsic]
        public static long CompareExchange(ref long location, long value, long comparand) =>
            CompareExchange(ref location, value, comparand);

        [Intrinsic]
        public static ulong CompareExchange(ref ulong location, ulong value, ulong comparand) =>
            CompareExchange(ref location, value, comparand);

        [Intrinsic]
        public static int Exchange(ref int location, int value) => Exchange(ref location, value);

        [Intrinsic]
        public static long Exchange(ref long location, long value) => Exchange(ref location, value);

        /// <summary>Adds and gives the sum.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int Add(ref int location, int value) => ExchangeAdd(ref location, value) + value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static long Add(ref long location, long value) => ExchangeAdd(ref location, value) + value;

        [Intrinsic]
        public static void MemoryBarrier() => MemoryBarrier();

        // What the code generator knows as one locked XADD; .NET has these too, and hides them.
        [Intrinsic]
        private static int ExchangeAdd(ref int location, int value) => ExchangeAdd(ref location, value);

        [Intrinsic]
        private static long ExchangeAdd(ref long location, long value) => ExchangeAdd(ref location, value);
    }

    /// <summary>Loads and stores that the code generator neither drops, repeats nor reorders. One overload for each
    /// width: a generic one would be expanded at eight bytes whatever its argument.</summary>
    public static class Volatile
    {
        [Intrinsic]
        public static byte Read(ref readonly byte location) => Read(in location);

        [Intrinsic]
        public static void Write(ref byte location, byte value) => Write(ref location, value);

        [Intrinsic]
        public static ushort Read(ref readonly ushort location) => Read(in location);

        [Intrinsic]
        public static void Write(ref ushort location, ushort value) => Write(ref location, value);

        [Intrinsic]
        public static int Read(ref readonly int location) => Read(in location);

        [Intrinsic]
        public static void Write(ref int location, int value) => Write(ref location, value);

        [Intrinsic]
        public static uint Read(ref readonly uint location) => Read(in location);

        [Intrinsic]
        public static void Write(ref uint location, uint value) => Write(ref location, value);

        [Intrinsic]
        public static long Read(ref readonly long location) => Read(in location);

        [Intrinsic]
        public static void Write(ref long location, long value) => Write(ref location, value);

        [Intrinsic]
        public static ulong Read(ref readonly ulong location) => Read(in location);

        [Intrinsic]
        public static void Write(ref ulong location, ulong value) => Write(ref location, value);
    }
}
