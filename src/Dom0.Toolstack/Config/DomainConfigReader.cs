// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;

namespace Dom0.Toolstack.Config;

/// <summary>Turns what a file sets into a domain's description, and says what of it has no effect.</summary>
public sealed class DomainConfigReader
{
    private const int MaximumVcpus = DomainConfigCheck.MaximumVcpus;
    private const int MaximumCommandLine = DomainConfigCheck.MaximumCommandLine;
    private const ulong MinimumMemoryKiB = DomainConfigCheck.MinimumMemoryKib;

    private readonly ConfigDocument _document;
    private readonly List<string> _warnings = [];

    private DomainConfigReader(ConfigDocument document) => _document = document;

    /// <summary>
    /// The domain that <paramref name="document"/> describes; <paramref name="warnings"/> are whole sentences about
    /// keys without effect.
    /// </summary>
    /// <exception cref="ConfigException">
    /// A key has a value that cannot be meant, or a needed key is missing.
    /// </exception>
    public static DomainConfig Read(ConfigDocument document, out IReadOnlyList<string> warnings)
    {
        DomainConfigReader reader = new(document);
        DomainConfig config = reader.Read();
        warnings = reader._warnings;
        return config;
    }

    private DomainConfig Read()
    {
        WarnOfKeysWithoutEffect();
        RefuseOtherBuilders();
        string name = ReadName();
        ulong memory = ReadMemory("memory") ?? 128 * 1024;
        ulong maximum = ReadMemory("maxmem") ?? memory;
        if (maximum < memory)
        {
            throw Wrong("maxmem", $"is {maximum / 1024} MiB, less than memory, which is {memory / 1024} MiB",
                "Raise maxmem or lower memory");
        }

        int vcpus = ReadNumber("vcpus", 1, MaximumVcpus) ?? 1;
        int maximumVcpus = ReadNumber("maxvcpus", 1, MaximumVcpus) ?? vcpus;
        if (maximumVcpus < vcpus)
        {
            throw Wrong("maxvcpus", $"is {maximumVcpus}, less than vcpus, which is {vcpus}", "Raise maxvcpus");
        }

        string? loader = ReadText("bootloader") is { Length: > 0 } program ? program : null;
        if (loader is not null && ReadTexts("disk").Count == 0)
        {
            throw Wrong("bootloader", $"is {loader}, which looks at the guest's first disk, and there is no disk",
                "Add a disk, or set kernel and ramdisk to files of Domain-0 instead");
        }

        string kernel = ReadText("kernel") ?? (loader is not null ? "" : throw new ConfigException(
            new SourcePosition(_document.File, 1, 1), "no kernel is set",
            "Add a line such as kernel = '/boot/vmlinuz', or bootloader = 'pygrub'"));
        string commandLine = ReadCommandLine();
        (LifecycleAction poweroff, LifecycleAction reboot, LifecycleAction crash) = ReadRestart();
        return new DomainConfig
        {
            Name = name,
            Uuid = ReadUuid(),
            Kernel = kernel,
            Ramdisk = ReadText("ramdisk") is { Length: > 0 } ramdisk ? ramdisk : null,
            BootLoader = loader,
            BootLoaderArguments = loader is not null && ReadLoaderArguments() is { Count: > 0 } words ? words : null,
            CommandLine = commandLine,
            MemoryKib = memory,
            MaximumMemoryKib = maximum,
            MaximumVcpus = maximumVcpus,
            OnlineVcpus = ReadOnline(vcpus, maximumVcpus),
            Affinity = ReadAffinity(maximumVcpus),
            Weight = ReadNumber("cpu_weight", 1, 65535),
            Cap = ReadNumber("cap", 0, 100 * MaximumVcpus) ?? ReadNumber("cpu_cap", 0, 100 * MaximumVcpus),
            Pool = ReadText("pool"),
            TscMode = ReadTscMode(),
            ForbidsMigration = ReadTruth("nomigrate"),
            OnPoweroff = ReadAction("on_poweroff") ?? poweroff,
            OnReboot = ReadAction("on_reboot") ?? reboot,
            OnCrash = ReadAction("on_crash") ?? crash,
            StartsWithHost = ReadStart(),
            Description = ReadText("description"),
            Disks = ReadDevices("disk", texts => DeviceListCheck.CheckDisks(texts)),
            Vifs = ReadVifs(),
        };
    }

    private void WarnOfKeysWithoutEffect()
    {
        List<string> obsolete = [];
        foreach (string name in _document.Names)
        {
            ConfigValue value = _document[name]!;
            if (value is ConfigFunction or ConfigModule)
            {
                continue;
            }

            ConfigKey? key = ConfigKeys.Find(name);
            if (key is null)
            {
                if (!_document.IsHelper(name))
                {
                    string hint = ConfigKeys.Nearest(name) is { } nearest ? $"; did you mean '{nearest}'?" : "";
                    _warnings.Add($"{value.Position}: '{name}' is no known key and has no effect{hint}");
                }
            }
            else if (key.Use == ConfigKeyUse.Pending && value.IsTrue)
            {
                _warnings.Add($"{value.Position}: {name} has no effect: it needs {key.Needs}");
            }
            else if (name is "bootargs" or "bootloader_args" or "bootentry" && value.IsTrue
                && _document["bootloader"] is not { IsTrue: true })
            {
                _warnings.Add($"{value.Position}: {name} has no effect: it is for a bootloader, and none is set");
            }
            else if (key.Use == ConfigKeyUse.Obsolete)
            {
                obsolete.Add(name);
            }
        }

        if (obsolete.Count > 0)
        {
            _warnings.Add($"{_document.File}: without meaning for a paravirtualized guest, and ignored: "
                + string.Join(", ", obsolete));
        }
    }

    private void RefuseOtherBuilders()
    {
        foreach (string key in (string[])["builder", "type"])
        {
            if (ReadText(key) is { } builder && builder is not ("" or "linux" or "generic" or "pv"))
            {
                throw Wrong(key, $"asks for a '{builder}' guest, and this hypervisor runs paravirtualized guests only",
                    $"Remove the line, or write {key} = '{(key == "type" ? "pv" : "linux")}'");
            }
        }
    }

    private string ReadName()
    {
        string name = ReadText("name") is { Length: > 0 } set ? set : Path.GetFileNameWithoutExtension(_document.File);
        if (!DomainConfigCheck.IsName(name))
        {
            throw Wrong("name", $"'{name}' cannot name a domain",
                "Use up to 127 printable characters without spaces and slashes, at least one of them no digit");
        }

        return name;
    }

    private Guid ReadUuid() => ReadText("uuid") switch
    {
        null or "" => Guid.NewGuid(),
        { } text when Guid.TryParse(text, out Guid uuid) => uuid,
        { } text => throw Wrong("uuid", $"'{text}' is no UUID", "Write 32 hexadecimal digits as 8-4-4-4-12"),
    };

    private string ReadCommandLine()
    {
        string? whole = ReadText("cmdline");
        if (whole is not null)
        {
            foreach (string replaced in (string[])["root", "extra", "ip"])
            {
                if (_document[replaced] is { IsTrue: true } other)
                {
                    _warnings.Add($"{other.Position}: {replaced} has no effect: cmdline replaces it");
                }
            }
        }

        string commandLine = whole ?? ComposeCommandLine();
        return commandLine.Length <= MaximumCommandLine
            ? commandLine
            : throw Wrong(whole is null ? "extra" : "cmdline",
                $"the kernel's command line has {commandLine.Length} characters; there is room for "
                    + $"{MaximumCommandLine}",
                "Shorten it");
    }

    /// <summary>The order in which xm joins the parts: address, root, NFS root, extra.</summary>
    private string ComposeCommandLine()
    {
        List<string> parts = [];
        string address = ReadText("ip") ?? ReadAddress();
        string dhcp = ReadText("dhcp") ?? "off";
        string server = ReadText("nfs_server") ?? "";
        if (address.Length > 0 || dhcp != "off")
        {
            // The kernel wants some server between the address and the gateway; this one can never answer.
            string placeholder = server.Length > 0 ? server : "127.0.255.255";
            parts.Add($"ip={address}:{placeholder}:{ReadText("gateway")}:{ReadText("netmask")}:{ReadText("hostname")}"
                + $":{ReadText("interface") ?? "eth0"}:{dhcp}");
        }

        if (ReadText("root") is { Length: > 0 } root)
        {
            parts.Add(root.StartsWith("root=", StringComparison.Ordinal) ? root : "root=" + root);
        }

        if (ReadText("nfs_root") is { Length: > 0 } nfsRoot)
        {
            parts.Add(server.Length > 0
                ? $"nfsroot={server}:{nfsRoot}"
                : throw Wrong("nfs_root", "wants nfs_server as well", "Add nfs_server = 'ADDRESS'"));
        }

        if (ReadText("extra") is { Length: > 0 } extra)
        {
            parts.Add(extra);
        }

        return string.Join(' ', parts);
    }

    /// <summary>xm's are one string, xl's that or a list; an older key of xm's names an entry of the loader's menu.</summary>
    private List<string> ReadLoaderArguments()
    {
        List<string> arguments = [];
        foreach (string key in (string[])["bootargs", "bootloader_args"])
        {
            arguments.AddRange(_document[key] is ConfigList
                ? ReadTexts(key)
                : (ReadText(key) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        if (ReadText("bootentry") is { Length: > 0 } entry)
        {
            arguments.Add($"--entry={entry}");
        }

        return arguments;
    }

    private string ReadAddress() => _document["ipaddr"] is { IsTrue: true } ? ReadTexts("ipaddr")[0] : "";

    private (LifecycleAction Poweroff, LifecycleAction Reboot, LifecycleAction Crash) ReadRestart() =>
        ReadText("restart") switch
        {
            null or "" => (LifecycleAction.Destroy, LifecycleAction.Restart, LifecycleAction.Restart),
            "onreboot" => (LifecycleAction.Destroy, LifecycleAction.Restart, LifecycleAction.Destroy),
            "always" => (LifecycleAction.Restart, LifecycleAction.Restart, LifecycleAction.Restart),
            "never" => (LifecycleAction.Destroy, LifecycleAction.Destroy, LifecycleAction.Destroy),
            { } other => throw Wrong("restart", $"'{other}' is not one of onreboot, always, never",
                "Use on_poweroff, on_reboot and on_crash"),
        };

    private LifecycleAction? ReadAction(string key) => ReadText(key) switch
    {
        null or "" => null,
        "destroy" => LifecycleAction.Destroy,
        "restart" => LifecycleAction.Restart,
        "preserve" => LifecycleAction.Preserve,
        "rename-restart" => LifecycleAction.RenameRestart,
        "coredump-destroy" => LifecycleAction.CoredumpDestroy,
        "coredump-restart" => LifecycleAction.CoredumpRestart,
        { } other => throw Wrong(key, $"'{other}' is no action",
            "Use destroy, restart, preserve, rename-restart, coredump-destroy or coredump-restart"),
    };

    private bool ReadStart() => ReadText("on_xend_start") switch
    {
        null or "" or "ignore" => false,
        "start" => true,
        { } other => throw Wrong("on_xend_start", $"'{other}' is not one of ignore and start"),
    };

    private int ReadTscMode() => _document["tsc_mode"] switch
    {
        ConfigText { Value: "default" } => 0,
        ConfigText { Value: "always_emulate" } => 1,
        ConfigText { Value: "native" } => 2,
        ConfigText { Value: "native_paravirt" } => 3,
        _ => ReadNumber("tsc_mode", 0, 3) ?? 0,
    };

    private bool[] ReadOnline(int vcpus, int maximum)
    {
        bool[] online = [.. Enumerable.Range(0, maximum).Select(vcpu => vcpu < vcpus)];
        if (ReadNumber("vcpu_avail", 1, int.MaxValue) is { } mask)
        {
            for (int vcpu = 0; vcpu < Math.Min(maximum, 31); vcpu++)
            {
                online[vcpu] = (mask >> vcpu & 1) != 0;
            }

            if (!online[0])
            {
                throw Wrong("vcpu_avail", "leaves out virtual CPU 0, on which every kernel starts", "Set bit 0");
            }
        }

        return online;
    }

    private CpuSet[] ReadAffinity(int vcpus)
    {
        CpuSet[] affinity = new CpuSet[vcpus];
        Array.Fill(affinity, CpuSet.All);
        switch (_document["cpus"])
        {
            case null or ConfigNone:
                break;
            case ConfigList list:
                for (int vcpu = 0; vcpu < Math.Min(list.Items.Count, vcpus); vcpu++)
                {
                    affinity[vcpu] = ParseCpus("cpus", list.Items[vcpu]);
                }

                break;
            case { } shared:
                Array.Fill(affinity, ParseCpus("cpus", shared));
                break;
        }

        // xm's older key: the number of a CPU for virtual CPU 0, and -1 for no preference.
        if (_document["cpu"] is ConfigNumber { Value: >= 0 } cpu && _document["cpus"] is null or ConfigNone)
        {
            affinity[0] = ParseCpus("cpu", cpu);
        }

        return affinity;
    }

    private static CpuSet ParseCpus(string key, ConfigValue value)
    {
        if (value is not (ConfigText or ConfigNumber))
        {
            throw new ConfigException(value.Position, $"{key} wants CPU numbers, not {value.Kind}");
        }

        try
        {
            CpuSet cpus = CpuSet.Parse(value.Text);
            return cpus.IsEmpty
                ? throw new ConfigException(value.Position, $"{key} leaves no CPU to run on", "Name at least one")
                : cpus;
        }
        catch (FormatException wrong)
        {
            throw new ConfigException(value.Position, $"{key}: {wrong.Message}", "Write a list such as '0-3,5,^1'");
        }
    }

    private ulong? ReadMemory(string key)
    {
        ConfigValue? value = _document[key];
        if (value is null or ConfigNone || (value is ConfigText { Value: "" }))
        {
            return null;
        }

        if (value is not (ConfigText or ConfigNumber { IsBoolean: false, Value: >= 0 }) ||
            !MemorySize.TryParse(value.Text, out ulong kiB))
        {
            throw Wrong(key, $"is no amount of memory: {value.Literal}", $"Write a number of MiB, such as {key} = 256");
        }

        return kiB >= MinimumMemoryKiB
            ? kiB
            : throw Wrong(key, $"is {kiB / 1024} MiB, in which no kernel starts",
                $"Give at least {MinimumMemoryKiB / 1024}");
    }

    private int? ReadNumber(string key, int minimum, int maximum)
    {
        ConfigValue? value = _document[key];
        if (value is null or ConfigNone || (value is ConfigText { Value: "" }))
        {
            return null;
        }

        long number = value switch
        {
            ConfigNumber { IsBoolean: false } given => given.Value,
            ConfigText text when long.TryParse(text.Value, out long parsed) => parsed,
            _ => throw Wrong(key, $"wants a number, not {value.Kind}: {value.Literal}"),
        };
        return number >= minimum && number <= maximum
            ? (int)number
            : throw Wrong(key, $"is {number}; from {minimum} to {maximum} is possible");
    }

    private bool ReadTruth(string key) => _document[key] switch
    {
        null or ConfigNone => false,
        ConfigNumber number => number.IsTrue,
        ConfigText { Value: "1" or "yes" or "true" or "True" } => true,
        ConfigText { Value: "" or "0" or "no" or "false" or "False" } => false,
        { } other => throw Wrong(key, $"wants 0 or 1, not {other.Literal}"),
    };

    private string? ReadText(string key) => _document[key] switch
    {
        null or ConfigNone => null,
        ConfigText text => text.Value,
        ConfigNumber { IsBoolean: false } number => number.Text,
        { } other => throw Wrong(key, $"wants a string, not {other.Kind}"),
    };

    /// <summary>Network interfaces, at least as many as <c>nics</c> says, each with an address.</summary>
    private IReadOnlyList<string> ReadVifs()
    {
        IReadOnlyList<string> vifs = ReadDevices("vif", texts => DeviceListCheck.CheckVifs(texts));
        int count = ReadNumber("nics", -1, DeviceListCheck.MaximumVifs) ?? -1;
        return VifSpec.Complete([.. vifs, .. Enumerable.Repeat("", Math.Max(0, count - vifs.Count))]);
    }

    private List<string> ReadDevices(string key, Action<IReadOnlyList<string>> check)
    {
        List<string> texts = ReadTexts(key);
        try
        {
            check(texts);
            return texts;
        }
        catch (ToolstackException wrong)
        {
            throw new ConfigException(_document[key]!.Position, wrong.Message, wrong.Remedy);
        }
    }

    private List<string> ReadTexts(string key)
    {
        switch (_document[key])
        {
            case null or ConfigNone:
                return [];
            case ConfigText text:
                return [text.Value];
            case ConfigList list:
                List<string> texts = [];
                foreach (ConfigValue item in list.Items)
                {
                    texts.Add(item is ConfigText text
                        ? text.Value
                        : throw new ConfigException(item.Position, $"{key} wants strings, not {item.Kind}"));
                }

                return texts;
            case { } other:
                throw Wrong(key, $"wants a list of strings, not {other.Kind}");
        }
    }

    private ConfigException Wrong(string key, string what, string? remedy = null) =>
        new(_document[key]?.Position ?? new SourcePosition(_document.File, 1, 1), $"{key} {what}", remedy);
}
