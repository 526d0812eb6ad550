// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Xen.Abi.Tests;

/// <summary>One field of a C# structure, where it really is in memory.</summary>
internal sealed record ManagedField(string Name, int Offset, int Size);

/// <summary>What reflection knows of the types of Xen.Abi.</summary>
internal static class AbiTypes
{
    /// <summary>Structures that no public header declares; their sizes are tested by hand.</summary>
    public static readonly Type[] WithoutRow = [typeof(DomId), typeof(EventPort), typeof(GrantRef), typeof(E820Entry)];

    /// <summary>C fields that are bits of one C# field.</summary>
    public static readonly string[] FieldsWithoutRow = ["ProcessorFlags.Bits"];

    public static IReadOnlyList<Type> Structs { get; } = Public(type => type.IsValueType && !type.IsEnum);

    public static IReadOnlyList<Type> Enums { get; } = Public(type => type.IsEnum);

    public static IReadOnlyList<Type> StaticClasses { get; } = Public(type => type.IsAbstract && type.IsSealed);

    public static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf)).MakeGenericMethod(type).Invoke(null, null);

    /// <summary>
    /// The offsets come from the address arithmetic of compiled code, not from marshalling: the hypervisor and the
    /// toolstack use these structures in memory as they are.
    /// </summary>
    public static IReadOnlyList<ManagedField> Fields(Type type) =>
        InstanceFields(type)
            .Select(field => new ManagedField(field.Name, OffsetOf(field), SizeOf(field.FieldType)))
            .ToArray();

    public static FieldInfo[] InstanceFields(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    private static Type[] Public(Func<Type, bool> wanted) =>
        typeof(DomId).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(DomId).Namespace && !type.IsNested && wanted(type))
            .OrderBy(type => type.Name, StringComparer.Ordinal)
            .ToArray();

    private static int OffsetOf(FieldInfo field)
    {
        DynamicMethod method = new("OffsetOf", typeof(int), Type.EmptyTypes, typeof(AbiTypes).Module, true);
        ILGenerator code = method.GetILGenerator();
        LocalBuilder value = code.DeclareLocal(field.DeclaringType);
        code.Emit(OpCodes.Ldloca, value);
        code.Emit(OpCodes.Ldflda, field);
        code.Emit(OpCodes.Conv_U);
        code.Emit(OpCodes.Ldloca, value);
        code.Emit(OpCodes.Conv_U);
        code.Emit(OpCodes.Sub);
        code.Emit(OpCodes.Conv_I4);
        code.Emit(OpCodes.Ret);
        return (int)method.Invoke(null, null);
    }
}
