// SPDX-License-Identifier: MIT
// A sample goes the way of the hypervisor's sources: the C# compiler of the SDK against our core library, ILCompiler with the
// options of tools/build-hypervisor, then the rules of tools/ImageCheck in place of the linker. Where it is stopped, and
// in which words, is what the tests ask.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using ImageCheck;
using ImageCheck.Elf;
using ImageCheck.Rules;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;

namespace Toolchain.Tests;

/// <summary>How far a sample came.</summary>
public enum Stage
{
    CSharp,
    IntermediateLanguageCompiler,
    ImageCheck,
    Accepted,
}

/// <summary>Where a sample was stopped, and what was said; the object if there is one.</summary>
internal sealed record SampleResult(Stage Stage, string Said, ElfFile? Object, CodeSummary? Code);

/// <summary>Compiles the files of <c>Samples</c>.</summary>
internal static partial class SampleCompiler
{
    private const string Optimised = "-O";
    private const string BaseSet = "--instruction-set:base";
    private const string CoreLibrary = "Hypervisor.CoreLib";

    /// <summary>What boot/*.asm defines for every image.</summary>
    private const string Stubs = """
        section .text progbits alloc exec nowrite align=16
        global memmove, memzero, memfill, panic_runtime_check, __security_cookie
        global RhpFallbackFailFast, RhpReversePInvoke, RhpReversePInvokeReturn
        memmove:
        memzero:
        memfill:
        panic_runtime_check:
        __security_cookie:
        RhpFallbackFailFast:
        RhpReversePInvoke:
        RhpReversePInvokeReturn:
                ret
        """;

    private static readonly CSharpParseOptions s_language =
        CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14).WithPreprocessorSymbols("FREESTANDING");

    private static readonly CSharpCompilationOptions s_options = new(
        OutputKind.DynamicallyLinkedLibrary,
        optimizationLevel: OptimizationLevel.Release,
        allowUnsafe: true,
        deterministic: true);

    private static readonly Lazy<byte[]> s_coreLibrary = new(CompileCoreLibrary);
    private static readonly Lazy<string> s_compiler = new(FindCompiler);

    public static VectorSet SavedVectors => VectorSet.Parse(RepositoryFiles.Text("boot", "vectors.inc"));

    public static SampleResult Compile(string name, string? withOption = null, string? without = null, string? also = null)
    {
        using TemporaryFolder folder = new();
        MetadataReference core = MetadataReference.CreateFromImage(s_coreLibrary.Value);
        CSharpCompilation compilation = CSharpCompilation.Create(
            name, Sources(also == null ? [name] : [name, also]), [core], s_options);
        using MemoryStream assembly = new();
        EmitResult emitted = compilation.Emit(assembly);
        if (!emitted.Success)
        {
            return new SampleResult(Stage.CSharp, string.Join('\n', emitted.Diagnostics), null, null);
        }

        File.WriteAllBytes(folder.File(name + ".dll"), assembly.ToArray());
        File.WriteAllBytes(folder.File(CoreLibrary + ".dll"), s_coreLibrary.Value);
        string target = folder.File("sample.o");
        List<string> arguments =
        [
            folder.File(name + ".dll"), folder.File(CoreLibrary + ".dll"), "-o", target,
            .. Options(name).Where(option => option != without),
        ];
        if (withOption != null)
        {
            arguments.Add(withOption);
        }

        (int status, string said) = ExternalTool.Run(s_compiler.Value, arguments);
        if (status != 0)
        {
            return new SampleResult(Stage.IntermediateLanguageCompiler, said, null, null);
        }

        string stubs = folder.File("stubs.o");
        ExternalTool.Demand("nasm", "-f", "elf64", "-o", stubs, folder.Write("stubs.asm", Stubs));
        ElfFile code = ElfFile.Read(target);
        Findings findings = new();
        HelperRule.Check(code, [ElfFile.Read(stubs)], findings);
        ArtefactRule.Check(code, findings);
        CodeSummary summary = InstructionRule.Check(code, SavedVectors, findings);
        return findings.AreNone
            ? new SampleResult(Stage.Accepted, string.Empty, code, summary)
            : new SampleResult(Stage.ImageCheck, string.Join('\n', findings.Messages), code, summary);
    }

    /// <summary>The code options of the build itself, with the sample in place of the hypervisor's projects.</summary>
    public static string[] Options(string name)
    {
        Match command = Command().Match(RepositoryFiles.Text("tools", "build-hypervisor"));
        string[] options =
        [
            .. command.Groups[1].Value.Split([' ', '\\', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .Where(option => !option.StartsWith("--root:", StringComparison.Ordinal)
                    && !option.StartsWith("--generateunmanagedentrypoints:", StringComparison.Ordinal)),
        ];
        if (!options.Contains(Optimised) || !options.Contains(BaseSet))
        {
            throw new InvalidOperationException("the options of ILCompiler are no longer found in tools/build-hypervisor");
        }

        return [.. options, $"--generateunmanagedentrypoints:{name},HIDDEN", $"--root:{name}"];
    }

    private static byte[] CompileCoreLibrary()
    {
        string folder = RepositoryFiles.Path("src", CoreLibrary);
        IEnumerable<SyntaxTree> sources = Directory.EnumerateFiles(folder, "*.cs").Order(StringComparer.Ordinal).Select(Parse);
        using MemoryStream assembly = new();
        EmitResult emitted = CSharpCompilation.Create(CoreLibrary, sources, [], s_options)
            .Emit(assembly, options: new EmitOptions(runtimeMetadataVersion: "v4.0.30319"));
        return emitted.Success
            ? assembly.ToArray()
            : throw new InvalidOperationException(string.Join('\n', emitted.Diagnostics
                .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
    }

    private static IEnumerable<SyntaxTree> Sources(IEnumerable<string> names) =>
        names.Select(name => Parse(RepositoryFiles.Path("tests", "Toolchain.Tests", "Samples", name + ".cs")));

    private static SyntaxTree Parse(string path) => CSharpSyntaxTree.ParseText(File.ReadAllText(path), s_language, path);

    private static string FindCompiler()
    {
        string version = Version().Match(RepositoryFiles.Text("Directory.Packages.props")).Groups[1].Value;
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string compiler = Path.Combine(packages, "runtime.linux-x64.microsoft.dotnet.ilcompiler", version, "tools", "ilc");
        if (!File.Exists(compiler))
        {
            ExternalTool.Demand("dotnet", "restore", RepositoryFiles.Path("tools", "ILCompiler", "ILCompiler.csproj"));
        }

        // The package does not carry the permission.
        ExternalTool.Demand("chmod", "+x", compiler);
        return compiler;
    }

    [GeneratedRegex(@"(--systemmodule:.*?)\)", RegexOptions.Singleline)]
    private static partial Regex Command();

    [GeneratedRegex("<ILCompilerVersion>(.*)</ILCompilerVersion>")]
    private static partial Regex Version();
}
