// SPDX-License-Identifier: MIT
//
// A guest's disk holds what the guest wants it to hold, and programs that read boot configurations and file systems from it
// have had many faults. So the loader is a stranger: it runs as a user that owns nothing but its folder, with no way to
// more rights, in name spaces without network and other processes, with limits on memory, time and files. It sees
// the disk by a node that can only be read. All that is taken from it are three words, and files that it owns.
//
// The limits are set by util-linux, which Debian always has. What ends the run ends everything that it started: the
// first process of a name space of processes takes the others with it.
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Build.Loader;

/// <summary>Runs a boot loader such as Debian's pygrub on a guest's first disk.</summary>
public sealed class BootLoader
{
    private const int TimeMilliseconds = 120_000;
    private const long MemoryLimit = 1L << 30;
    private const int CpuSeconds = 100;
    private const long FileLimit = 256L << 20;
    private const int OpenFiles = 64;
    private const int Processes = 16;
    private const int ComplaintLimit = 4096;

    private static readonly string[] s_places =
        ["/usr/lib/xen-4.17/bin", "/usr/lib/xen/bin", "/usr/libexec/xen/bin", "/usr/local/lib/xen/bin", "/usr/bin"];

    private readonly IHostDevices _host;
    private readonly string _folders;
    private readonly int _milliseconds;

    /// <summary>Runs on <paramref name="host"/>, in folders below <paramref name="folders"/>.</summary>
    public BootLoader(IHostDevices host, string folders, int milliseconds = TimeMilliseconds)
    {
        _host = host;
        _folders = folders;
        _milliseconds = milliseconds;
    }

    /// <summary>This host's.</summary>
    public static BootLoader Host => new(LinuxDevices.Host, "/var/lib/xen/boot");

    /// <summary>Is this a program in one of the places where Xen's programs are, whether it is there or not?</summary>
    public static bool IsInstalledName(string name) => !name.Contains('/')
        || s_places.Any(place => name.StartsWith(place + "/", StringComparison.Ordinal)
            && !name.Contains("..", StringComparison.Ordinal));

    /// <summary>Has the loader of a configuration choose kernel, RAM disk and command line from the guest's disk.</summary>
    /// <exception cref="ToolstackException">There is no such loader, or it chose nothing that can be used.</exception>
    public BootFiles Load(DomainConfig config, KernelCache cache)
    {
        string program = Find(config.BootLoader!);
        DiskSpec disk = DiskSpec.Parse(config.Disks[0]);
        HostFile target = _host.Identify(disk.Target);
        using ILoopDevice? loop = target.Block is null ? _host.AttachLoop(disk.Target, isReadOnly: true) : null;
        using LoaderFolder folder = LoaderFolder.Make(_folders, loop?.Number ?? target.Block!.Value);
        Progress.Report($"{config.BootLoader} looks at its disk");
        Run(program, Arguments(config, folder), folder);
        Progress.Report("reading the kernel");
        LoaderOutput chosen = LoaderOutput.Parse(
            folder.Read("output", "what it says", LoaderOutput.Limit), folder.Path);
        byte[] kernel = folder.Read(chosen.Kernel, "the kernel", FileLimit);
        byte[] ramdisk = chosen.Ramdisk is null ? [] : folder.Read(chosen.Ramdisk, "the RAM disk", FileLimit);
        return new BootFiles(
            KernelLoader.Load(kernel, $"the kernel that {config.BootLoader} found", cache), ramdisk, chosen.Arguments);
    }

    /// <summary>The protocol of Xen's boot loaders. With a loader, kernel and ramdisk are names on the guest's disk.</summary>
    private static List<string> Arguments(DomainConfig config, LoaderFolder folder)
    {
        List<string> arguments = ["--quiet"];
        Add("--kernel", config.Kernel);
        Add("--ramdisk", config.Ramdisk);
        Add("--args", config.CommandLine);
        arguments.Add($"--output={folder.Output}");
        arguments.Add("--output-format=simple0");
        arguments.Add($"--output-directory={folder.Path}");
        arguments.AddRange(config.BootLoaderArguments ?? []);
        arguments.Add(folder.Disk);
        return arguments;

        void Add(string option, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                arguments.Add($"{option}={value}");
            }
        }
    }

    private static string Find(string name)
    {
        string[] candidates = name.Contains('/') ? [name] : [.. s_places.Select(place => $"{place}/{name}")];
        return candidates.FirstOrDefault(File.Exists) ?? throw new ToolstackException(
            $"bootloader: {name} is not installed",
            (Path.GetFileName(name) == "pygrub" ? "Install it (apt install xen-utils-4.17), or remove"
                : "Correct the name, or remove") + " the line and set kernel and ramdisk to files of Domain-0");
    }

    private void Run(string program, List<string> arguments, LoaderFolder folder)
    {
        string user = folder.User.ToString(CultureInfo.InvariantCulture);
        ProcessStartInfo start = new("/usr/bin/unshare",
        [
            "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child",
            "/usr/bin/prlimit", $"--as={MemoryLimit}", $"--cpu={CpuSeconds}", $"--fsize={FileLimit}",
            $"--nofile={OpenFiles}", $"--nproc={Processes}", "--core=0", "--memlock=0",
            "/usr/bin/setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups", "--no-new-privs",
            "--inh-caps=-all", "--bounding-set=-all",
            program, .. arguments,
        ])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = folder.Path;
        start.Environment["LC_ALL"] = "C.UTF-8";
        try
        {
            using Process process = Process.Start(start) ?? throw new ToolstackException("bootloader: cannot be run");
            process.StandardInput.Close();
            Tail said = new(process.StandardOutput.BaseStream);
            Tail complained = new(process.StandardError.BaseStream);
            if (!process.WaitForExit(_milliseconds))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                throw new ToolstackException(
                    $"bootloader: {program} has not ended within {_milliseconds / 1000} seconds", "Look at the guest's disk");
            }

            if (process.ExitCode != 0)
            {
                string last = complained.LastLine() is { Length: > 0 } line ? line : said.LastLine();
                throw new ToolstackException($"bootloader: {program} ended with status {process.ExitCode}"
                    + (last.Length > 0 ? $" and said: {last}" : ""), "Look at the boot configuration on the guest's disk");
            }
        }
        catch (Win32Exception refused)
        {
            throw new ToolstackException(
                $"bootloader: cannot run /usr/bin/unshare: {LibcErrno.Describe(refused.NativeErrorCode)}",
                "Install util-linux, by which the loader is confined", refused);
        }
    }

    /// <summary>The end of what a stranger says, however much it is.</summary>
    private sealed class Tail
    {
        private readonly List<byte> _bytes = [];
        private readonly Thread _reader;

        public Tail(Stream stream)
        {
            _reader = new Thread(() => Read(stream)) { IsBackground = true, Name = "loader" };
            _reader.Start();
        }

        /// <summary>Printable, and not long.</summary>
        public string LastLine()
        {
            _reader.Join();
            string last = Encoding.UTF8.GetString([.. _bytes]).Split('\n').LastOrDefault(line => line.Trim().Length > 0) ?? "";
            return new string([.. last.Trim().Where(c => !char.IsControl(c)).Take(200)]);
        }

        private void Read(Stream stream)
        {
            try
            {
                byte[] buffer = new byte[ComplaintLimit];
                for (int count = stream.Read(buffer); count > 0; count = stream.Read(buffer))
                {
                    _bytes.AddRange(buffer.AsSpan(0, count));
                    _bytes.RemoveRange(0, Math.Max(0, _bytes.Count - ComplaintLimit));
                }
            }
            catch (Exception closed) when (closed is IOException or ObjectDisposedException)
            {
                // The process was killed.
            }
        }
    }
}
