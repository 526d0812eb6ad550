// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Host;
using Xt.Image;

namespace Xt.Build;

/// <summary>
/// Builds what a machine is made of, if its sources changed: <c>artifacts/xen</c> by tools/build-hypervisor, and the
/// programs of Domain-0 into <c>artifacts/dom0</c> by Native AOT.
/// </summary>
public static partial class Products
{
    private static string HypervisorScript => Workspace.InSources("tools", "build-hypervisor");

    public static void BuildAll(bool force = false)
    {
        BuildHypervisor(force);
        BuildPrograms(force);
    }

    public static void BuildHypervisor(bool force = false)
    {
        string[] folders =
        [
            .. Directory.EnumerateDirectories(Workspace.InSources("src"), "Hypervisor.*"),
            .. new[] { "src/Xen.Abi", "src/Xen.Images", "boot", "tools/ImageCheck", "tools/AsmOffsets" }
                .Select(folder => Workspace.InSources(folder)),
            HypervisorScript,
            .. SourceAge.SharedFiles(),
        ];
        using FileLock held = FileLock.Take("build");
        if (force || SourceAge.IsStale(Workspace.Hypervisor, folders))
        {
            Run("the hypervisor", HypervisorScript, []);
            if (!File.Exists(Workspace.Hypervisor))
            {
                throw new XtException("tools/build-hypervisor ended well but left no artifacts/xen.");
            }

            // The script may find nothing to do; the next start need not ask it again.
            File.SetLastWriteTimeUtc(Workspace.Hypervisor, DateTime.UtcNow);
        }
    }

    public static void BuildPrograms(bool force = false)
    {
        using FileLock held = FileLock.Take("build");
        foreach (string project in ProgramProjects())
        {
            string name = Path.GetFileNameWithoutExtension(project);
            string stamp = Path.Combine(Workspace.Cache, $"published-{name}");
            if (force || !Directory.Exists(Workspace.Dom0Programs) ||
                SourceAge.IsStale(stamp, SourceAge.OfProject(project)))
            {
                Publish(project, name);
                File.WriteAllText(stamp, string.Empty);
            }
        }
    }

    /// <summary>The micro guests build themselves, quickly, and know what has changed.</summary>
    public static void BuildMicroGuests()
    {
        string script = Workspace.InSources("tools", "build-guests");
        if (File.Exists(script))
        {
            using FileLock held = FileLock.Take("build");
            Run("the micro guests", script, []);
        }
    }

    private static IEnumerable<string> ProgramProjects() =>
        Directory.EnumerateDirectories(Workspace.InSources("src"))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj"))
            .Where(project => File.ReadAllText(project).Contains("<PublishAot>true", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    private static void Publish(string project, string name)
    {
        string place = Directory.CreateTempSubdirectory("xt-publish-").FullName;
        try
        {
            // The same sources are analysed when the host's assemblies are built.
            Run($"{name} for Domain-0", "dotnet",
            [
                "publish", project, "--nologo", "--verbosity", "quiet", "--configuration", "Release", "-r", "linux-x64",
                "-p:PublishAot=true", "-p:CppCompilerAndLinker=gcc", "-p:RunAnalyzers=false",
                "-nodeReuse:false", "--output", place,
            ]);
            _ = Directory.CreateDirectory(Workspace.Dom0Programs);
            foreach (string file in Directory.EnumerateFiles(place).Where(Dom0Image.IsProgram))
            {
                _ = NewFile.Write(Path.Combine(Workspace.Dom0Programs, Path.GetFileName(file)),
                    draft => File.Copy(file, draft));
            }
        }
        finally
        {
            Directory.Delete(place, true);
        }
    }

    private static void Run(string what, string program, string[] arguments)
    {
        Report.Step($"building {what}");
        Stopwatch watch = Stopwatch.StartNew();
        string log = LogFiles.New("build");
        if (!File.Exists(program) && program.Contains('/', StringComparison.Ordinal))
        {
            throw new XtException($"There is no {Path.GetRelativePath(Workspace.Root, program)}.");
        }

        HostCommand.Outcome outcome = HostCommand.Capture(program, arguments);
        string said = outcome.Output + outcome.Errors;
        File.WriteAllText(log, said);
        if (outcome.Status != 0)
        {
            string[] errors =
            [
                .. Complaint().Matches(said)
                    .Select(match => Project().Replace(match.Value, string.Empty).Replace(Workspace.Root + "/", "").Trim())
                    .Distinct()
                    .Take(30),
            ];
            Report.Plain(errors.Length != 0 ? string.Join('\n', errors) : said.Trim());
            throw new XtException($"Building {what} failed.",
                $"The whole log: {Path.GetRelativePath(Workspace.Root, log)}");
        }

        Report.Step($"built {what} in {watch.Elapsed.TotalSeconds:0} s");
    }

    [GeneratedRegex(@" \[[^\]]*proj\]")]
    private static partial Regex Project();

    [GeneratedRegex(@"^.*\b(error|undefined reference|FORBIDDEN_)\b.*$", RegexOptions.Multiline)]
    private static partial Regex Complaint();
}
