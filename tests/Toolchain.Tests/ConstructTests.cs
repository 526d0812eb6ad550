// SPDX-License-Identifier: MIT
using ImageCheck;
using Xunit;

namespace Toolchain.Tests;

/// <summary>
/// What C# code in ring 0 may not contain, and who refuses it. Most of it rests on the compiler's habits, not on promises:
/// a new version of ILCompiler that changes one of them fails here.
/// </summary>
public sealed class ConstructTests
{
    [Theory]
    [InlineData("PlatformInvoke", "DllImport")]
    [InlineData("ThreadStatic", "ThreadStatic")]
    [InlineData("UnmanagedCallersOnly", "UnmanagedCallersOnly")]
    public void Constructs_whose_attribute_the_core_library_lacks_do_not_compile(string sample, string attribute)
    {
        SampleResult result = SampleCompiler.Compile(sample);
        Assert.Equal(Stage.CSharp, result.Stage);
        Assert.Contains($"CS0246: The type or namespace name '{attribute}'", result.Said);
    }

    [Theory]
    [InlineData("Boxing", "System.Runtime.RuntimeExports")]
    [InlineData("Delegate", "InitializeOpenStaticThunk")]
    [InlineData("GenericVirtualMethod", "TypeLoaderExports")]
    [InlineData("StringLiteral", "System.RuntimeType")]
    public void Constructs_whose_helper_the_compiler_looks_up_itself_are_its_errors(string sample, string helper)
    {
        SampleResult result = SampleCompiler.Compile(sample);
        Assert.Equal(Stage.IntermediateLanguageCompiler, result.Stage);
        Assert.Contains(helper, result.Said);
    }

    [Theory]
    [InlineData("NewObject", "NewObject.Run makes an object (RhpNewFast)")]
    [InlineData("NewArray", "NewArray.Run makes an array (RhpNewArrayFast)")]
    [InlineData("Throw", "Throw.Run throws (RhpThrowEx)")]
    [InlineData("ReferenceField", "ReferenceField.Run stores a reference to an object (RhpAssignRef)")]
    [InlineData("Cast", "Cast.Run does what is forbidden: CheckCastClass (FORBIDDEN_CheckCastClass)")]
    [InlineData("TypeTest", "TypeTest.IsDog does what is forbidden: IsInstanceOfClass (FORBIDDEN_IsInstanceOfClass)")]
    [InlineData("InterfaceDispatch", "calls through an interface (RhpInitialDynamicInterfaceDispatch)")]
    [InlineData("UnmanagedFunctionPointer", "UnmanagedFunctionPointer.Run calls unmanaged code")]
    public void Constructs_that_need_a_helper_are_undefined_symbols(string sample, string said)
    {
        SampleResult result = SampleCompiler.Compile(sample);
        Assert.Equal(Stage.ImageCheck, result.Stage);
        Assert.Contains(said, result.Said);
    }

    [Theory]
    [InlineData("ReferenceStatic", "__GCSTATICSReferenceStatic_Sample_ReferenceStatic is a static field that keeps a reference")]
    [InlineData("GenericOverClass", "__GenericDict_")]
    [InlineData("InterfaceDispatch", "__InterfaceDispatchCell_")]
    [InlineData("StaticConstructor", "StaticConstructor has a static constructor that could not be folded")]
    [InlineData("TryCatch", "TryCatch.Run has a catch clause")]
    [InlineData("Filter", "Filter.Run has a catch clause")]
    [InlineData("ManagedFunctionPointer", "ManagedFunctionPointer.Apply+f calls through a pointer")]
    [InlineData("MethodPointerTable", "calls through a pointer")]
    [InlineData("VirtualMethod", "VirtualMethod.Run+3 jumps through a pointer")]
    [InlineData("FloatingPoint", "FloatingPoint.Run+4 computes in vector registers (mulsd")]
    public void Constructs_that_would_link_and_then_fail_silently_are_found_in_the_object(string sample, string said)
    {
        SampleResult result = SampleCompiler.Compile(sample);
        Assert.Equal(Stage.ImageCheck, result.Stage);
        Assert.Contains(said, result.Said);
    }

    [Theory]
    [InlineData("BigStructCopy")]
    [InlineData("CheckedArithmetic")]
    [InlineData("Clean")]
    [InlineData("ConstantArray")]
    [InlineData("DoubleWideCompare")]
    [InlineData("Finally")]
    [InlineData("FoldedStaticConstructor")]
    [InlineData("GenericOverStruct")]
    [InlineData("NewtypeInRegister")]
    [InlineData("SmallStructs")]
    [InlineData("SpanBounds")]
    [InlineData("StackBuffer")]
    public void Constructs_of_ring_0_pass(string sample)
    {
        SampleResult result = SampleCompiler.Compile(sample);
        Assert.Equal(string.Empty, result.Said);
        Assert.Equal(Stage.Accepted, result.Stage);
    }

    [Fact]
    public void Copying_zeroing_and_swapping_structs_uses_xmm0_and_xmm8_alone()
    {
        Assert.Equal("xmm0 xmm8", VectorSet.Join(SampleCompiler.Compile("SmallStructs").Code!.VectorRegisters));
    }

    [Fact]
    public void Wider_instruction_sets_bring_encodings_that_are_refused()
    {
        SampleResult result = SampleCompiler.Compile(
            "SmallStructs", withOption: "--instruction-set:x86-64-v3", without: "--instruction-set:base");
        Assert.Equal(Stage.ImageCheck, result.Stage);
        Assert.Contains("is in VEX encoding", result.Said);
    }

    [Fact]
    public void Without_optimisation_static_initialisers_are_no_longer_folded()
    {
        SampleResult result = SampleCompiler.Compile("FoldedStaticConstructor", without: "-O");
        Assert.Contains("FoldedStaticConstructor has a static constructor", result.Said);
    }

    [Fact]
    public void Layout_assertions_vanish_when_true_and_name_themselves_when_false()
    {
        SampleResult result = SampleCompiler.Compile("LayoutAssertion");
        Assert.Contains("FORBIDDEN_Layout_Wrong", result.Said);
        Assert.DoesNotContain("FORBIDDEN_Layout_Right", result.Said);
    }

    [Fact]
    public void A_newtype_travels_in_a_register()
    {
        SampleResult result = SampleCompiler.Compile("NewtypeInRegister");
        const ulong LeaAndReturn = 5;
        Assert.Equal(LeaAndReturn, result.Object!.FindSymbol("sample")!.Size);
    }

    [Fact]
    public void A_generic_over_a_struct_melts_into_its_caller()
    {
        SampleResult result = SampleCompiler.Compile("GenericOverStruct");
        const int WithStartup = 2;
        Assert.Equal(WithStartup, result.Code!.Methods);
    }
}
