// SPDX-License-Identifier: MIT
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Build.Loader;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Build;

/// <summary>Boot loaders that are scripts of the test, run as the real one is: confined, which needs root.</summary>
public sealed class BootLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loader-test-").FullName;
    private readonly FakeHostDevices _host = new(new FakeStoreServer());

    public BootLoaderTests() =>
        File.SetUnixFileMode(_folder, (UnixFileMode)Convert.ToInt32("755", 8));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed class RootFactAttribute : FactAttribute
    {
        public RootFactAttribute() => Skip = Environment.IsPrivilegedProcess ? null : "confining a loader needs root";
    }

    private sealed class RootTheoryAttribute : TheoryAttribute
    {
        public RootTheoryAttribute() => Skip = Environment.IsPrivilegedProcess ? null : "confining a loader needs root";
    }

    /// <summary>Runs a script in which $out is the output file, $dir the folder, $disk the disk and $args all arguments.</summary>
    private BootFiles Run(string script, int milliseconds = 60_000, string disk = "phy:/dev/sdz,xvda,w")
    {
        string loader = Path.Combine(_folder, "loader");
        File.WriteAllText(loader, "#!/bin/sh\nargs=\"$*\"\nfor word in \"$@\"; do case \"$word\" in\n"
            + "--output=*) out=${word#*=};; --output-directory=*) dir=${word#*=};; *) disk=$word;; esac; done\n"
            + $"kernel={_folder}/kernel\n" + script + "\n");
        File.SetUnixFileMode(loader, (UnixFileMode)Convert.ToInt32("755", 8));
        File.WriteAllBytes(Path.Combine(_folder, "kernel"), "no kernel"u8.ToArray());
        DomainConfig config = new()
        {
            Name = "guest",
            Uuid = Guid.NewGuid(),
            Kernel = "/boot/xen kernel",
            BootLoader = loader,
            BootLoaderArguments = ["--entry=2"],
            CommandLine = "root=/dev/xvda1 ro",
            MemoryKib = 65536,
            MaximumMemoryKib = 65536,
            MaximumVcpus = 1,
            OnlineVcpus = [true],
            Affinity = [CpuSet.All],
            Disks = [disk],
        };
        return new BootLoader(_host, Path.Combine(_folder, "boot"), milliseconds)
            .Load(config, new KernelCache(Path.Combine(_folder, "cache"), 1 << 20));
    }

    private string Refused(string script, int milliseconds = 60_000)
    {
        string sentence = Assert.Throws<ToolstackException>(() => Run(script, milliseconds)).Describe();
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder, "boot")));
        return sentence;
    }

    [RootFact]
    public void It_is_told_what_the_configuration_says_and_its_folder_goes() => Assert.Contains(
        "said: --quiet --kernel=/boot/xen kernel --args=root=/dev/xvda1 ro",
        Refused("echo \"$args\" | cut -c1-80 >&2; exit 3"));

    [RootFact]
    public void It_is_a_stranger_without_rights_that_can_only_read_the_disk()
    {
        string said = Refused("""
            echo "user $(id -u) $(id -G) $(grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status | tr -d '\t\n')" \
                "net $(grep -c : /proc/net/dev) disk $(stat -c '%F %a %t:%T' $disk) limit $(ulimit -v) $(ulimit -f)" \
                "write $(touch /tmp/loader-was-here 2>&1; (: >>$disk) 2>&1 | tail -c 20)" >&2
            exit 1
            """);
        Assert.Matches(@"user (19\d{8}) \1 CapEff:0{16}CapBnd:0{16}NoNewPrivs:1 net 1 disk block special file 400 41:90 "
            + "limit 1048576 ", said);
        File.Delete("/tmp/loader-was-here");
    }

    [RootFact]
    public void What_it_chose_is_read_and_a_kernel_that_is_none_is_refused_by_name()
    {
        string said = Refused(
            "cp $kernel $dir/k; cp $kernel $dir/r; printf 'kernel %s\\0ramdisk %s\\0args quiet\\0' $dir/k $dir/r >$out");
        Assert.Contains("the kernel that ", said);
        Assert.Contains(" found", said);
    }

    [RootTheory]
    [InlineData("exit 7", "ended with status 7")]
    [InlineData("true", "it names no kernel")]
    [InlineData("printf 'kernel /etc/passwd\\0' >$out", "outside of the loader's own folder")]
    [InlineData("printf 'kernel %s/../../x\\0' $dir >$out", "outside of the loader's own folder")]
    [InlineData("printf 'kernel %s/..\\0' $dir >$out", "outside of the loader's own folder")]
    [InlineData("printf 'kernel %s/missing\\0' $dir >$out", "cannot open the kernel: ENOENT")]
    [InlineData("ln -s /etc/shadow $dir/k; printf 'kernel %s/k\\0' $dir >$out", "cannot open the kernel: ELOOP")]
    [InlineData("ln $dir/disk $dir/k; printf 'kernel %s/k\\0' $dir >$out", "the kernel")]
    [InlineData("mkfifo $dir/k; printf 'kernel %s/k\\0' $dir >$out", "is no file that the loader wrote")]
    [InlineData("mkdir $dir/k; printf 'kernel %s/k\\0' $dir >$out", "is no file that the loader wrote")]
    [InlineData("truncate -s 300M $dir/k || cp $kernel $dir/k; printf 'kernel %s/k\\0' $dir >$out", "the kernel")]
    [InlineData("rm -f $out; ln -s /etc/shadow $out", "cannot open what it says: ELOOP")]
    [InlineData("head -c 100000 /dev/zero >$out", "up to 0 are loaded")]
    [InlineData("printf 'kernel %s/k\\0args a\\nb\\0' $dir >$out", "control characters")]
    [InlineData("printf 'kernel %s/k\\0kernel %s/k\\0' $dir $dir >$out", "or one of them twice")]
    [InlineData("printf 'coffee\\0' >$out", "something other than kernel")]
    [InlineData("printf 'kernel \\377\\0' >$out", "it is no UTF-8")]
    public void Whatever_else_it_does_is_refused_in_a_sentence(string script, string sentence) =>
        Assert.Contains(sentence, Refused(script));

    [RootFact]
    public void One_that_hangs_is_ended_with_all_that_it_started()
    {
        string mark = $"{987_000 + (Environment.ProcessId % 1000)}";
        Assert.Contains("has not ended within", Refused($"sleep {mark} & sleep {mark}", 2000));
        Assert.DoesNotContain(Process.GetProcessesByName("sleep"), process =>
            File.Exists($"/proc/{process.Id}/cmdline")
            && File.ReadAllText($"/proc/{process.Id}/cmdline").Contains(mark, StringComparison.Ordinal));
    }

    [RootFact]
    public void One_that_talks_without_end_is_cut_short() => Assert.InRange(
        Refused("head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 1").Length, 100, 500);

    [RootFact]
    public void A_file_becomes_a_loop_device_for_as_long_as_it_takes()
    {
        _ = Assert.Throws<ToolstackException>(() => Run("exit 1", disk: "file:/a,xvda,w"));
        Assert.Empty(_host.Held);
    }

    [Fact]
    public void One_that_is_not_installed_is_said_with_the_way_out()
    {
        DomainConfig config = new()
        {
            Name = "guest",
            Uuid = Guid.NewGuid(),
            Kernel = "",
            BootLoader = "/nowhere/pygrub",
            MemoryKib = 65536,
            MaximumMemoryKib = 65536,
            MaximumVcpus = 1,
            OnlineVcpus = [true],
            Affinity = [CpuSet.All],
            Disks = ["phy:/dev/sdz,xvda,w"],
        };
        Assert.Contains("apt install xen-utils-4.17", Assert.Throws<ToolstackException>(() =>
            new BootLoader(_host, _folder).Load(config, KernelCache.Host)).Remedy);
    }

    [Fact]
    public void Its_words_are_kernel_ramdisk_and_arguments()
    {
        LoaderOutput chosen = LoaderOutput.Parse(
            "kernel /b/k\0ramdisk /b/r\0args root=/dev/xvda1  ro quiet\0"u8, "/b");
        Assert.Equal(new LoaderOutput("k", "r", "root=/dev/xvda1  ro quiet"), chosen);
        Assert.Equal(new LoaderOutput("k", null, ""), LoaderOutput.Parse("kernel /b/k\0args\0"u8, "/b"));
        Assert.Throws<ToolstackException>(() => LoaderOutput.Parse(new byte[LoaderOutput.Limit], "/b"));
        Assert.Throws<ToolstackException>(() => LoaderOutput.Parse(
            Encoding.UTF8.GetBytes($"kernel /b/k\0args {new string('x', 1100)}\0"), "/b"));
    }
}
