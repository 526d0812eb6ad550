// SPDX-License-Identifier: MIT
//
// The configuration in a file is JSON. Its outer shape is that of libxl's domain configuration, so that xl finds what
// it needs; a member "xm", which xl passes over, holds our own, with all that libxl's has no word for. A file of xl's
// has no such member, and is read by libxl's names. What a file says is checked like what a user says.
using System;
using System.Buffers;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dom0.Toolstack.Build.Loader;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;

namespace Dom0.Toolstack.Migration;

/// <summary>The member "xm" of the configuration.</summary>
public sealed record SavedSection(
    int Format, string GuestOs, DomainConfig Config, IReadOnlyList<string>? Requests = null);

/// <summary>Reads and writes <see cref="SavedSection"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SavedSection))]
internal sealed partial class SavedJson : JsonSerializerContext;

/// <summary>A domain's configuration as a file keeps it.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="GuestOs">What runs in the domain, for the store.</param>
/// <param name="IsOurs">The file is ours: it has checksums.</param>
public sealed record SavedConfig(DomainConfig Config, string GuestOs, bool IsOurs)
{
    /// <summary>What a guest can be asked for by the store; it announces once, at its start, what it obeys.</summary>
    public static readonly IReadOnlyList<string> KnownRequests = ["poweroff", "reboot", "suspend"];

    /// <summary>What the guest has announced that it obeys.</summary>
    public IReadOnlyList<string> Requests { get; init; } = [];

    private const int Format = 1;
    private const int MaximumVcpus = 128;
    private const int MaximumText = 1024;
    private const string ScriptFolder = "/etc/xen/scripts/";
    private const ulong MaximumMemoryKib = 1UL << 30;

    private static readonly string[] s_devices =
    [
        "pcidevs", "rdms", "dtdevs", "vfbs", "vkbs", "vtpms", "p9s", "pvcallsifs", "vdispls", "vsnds",
        "channels", "usbctrls", "usbdevs",
    ];

    /// <summary>The JSON of a configuration.</summary>
    public static byte[] Write(DomainConfig config, string guestOs, IReadOnlyList<string>? requests = null)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            WriteLibxl(json, config);
            json.WritePropertyName("xm");
            JsonSerializer.Serialize(json, new SavedSection(Format, guestOs, config, requests),
                SavedJson.Default.SavedSection);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The configuration that JSON describes.</summary>
    /// <exception cref="FormatException">It describes none; the message says why.</exception>
    public static SavedConfig Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            foreach (string device in s_devices)
            {
                if (root.TryGetProperty(device, out JsonElement list) && list.GetArrayLength() > 0)
                {
                    throw new FormatException($"the domain has {device}, which cannot be had here");
                }
            }

            SavedConfig config = root.TryGetProperty("xm", out JsonElement section) ? ReadOurs(section) : ReadLibxl(root);
            Check(config.Config);
            return config;
        }
        catch (JsonException wrong)
        {
            throw new FormatException($"it is no JSON of a domain's configuration (line {wrong.LineNumber + 1})");
        }
        catch (ToolstackException wrong)
        {
            throw new FormatException(wrong.Message, wrong);
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or ArgumentException or KeyNotFoundException)
        {
            throw new FormatException("it is JSON, but a value in it is of another kind than a configuration has there");
        }
    }

    private static SavedConfig ReadOurs(JsonElement section)
    {
        SavedSection? read = section.Deserialize(SavedJson.Default.SavedSection);
        return read is { Config: not null, GuestOs: not null } && read.GuestOs.Length <= MaximumText
            ? read.Format == Format
                ? new SavedConfig(read.Config, read.GuestOs, IsOurs: true)
                {
                    Requests = [.. KnownRequests.Where((read.Requests ?? []).Contains)],
                }
                : throw new FormatException($"it is of format {read.Format}; only {Format} is understood")
            : throw new FormatException("its member 'xm' lacks the configuration");
    }

    private static SavedConfig ReadLibxl(JsonElement root)
    {
        JsonElement creation = root.GetProperty("c_info");
        JsonElement build = root.GetProperty("b_info");
        JsonElement pv = build.TryGetProperty("type.pv", out JsonElement found) ? found : build;
        if (Text(creation, "type") is not "pv")
        {
            throw new FormatException($"the domain is of type '{Text(creation, "type")}'; only pv runs here");
        }

        int vcpus = Number(build, "max_vcpus") is { } count and <= MaximumVcpus ? (int)count : 1;
        HashSet<int> available = build.TryGetProperty("avail_vcpus", out JsonElement list)
            ? [.. list.EnumerateArray().Select(vcpu => vcpu.GetInt32())]
            : [0];
        JsonElement share = build.TryGetProperty("sched_params", out JsonElement parameters) ? parameters : build;
        ulong maximum = Number(build, "max_memkb") ?? 0;
        DomainConfig config = new()
        {
            Name = Text(creation, "name") ?? "",
            Uuid = Guid.TryParse(Text(creation, "uuid"), out Guid uuid)
                ? uuid
                : throw new FormatException("it has no UUID"),
            Kernel = Text(build, "kernel") ?? Text(pv, "kernel") ?? "",
            Ramdisk = Text(build, "ramdisk") ?? Text(pv, "ramdisk"),
            CommandLine = Text(build, "cmdline") ?? Text(pv, "cmdline") ?? "",
            MaximumMemoryKib = maximum,
            MemoryKib = Number(build, "target_memkb") ?? maximum,
            MaximumVcpus = vcpus,
            OnlineVcpus = [.. Enumerable.Range(0, vcpus).Select(available.Contains)],
            Affinity = ReadAffinity(build, vcpus),
            Weight = (int?)Number(share, "weight"),
            Cap = (int?)Number(share, "cap"),
            Pool = Text(creation, "pool_name"),
            TscMode = Text(build, "tsc_mode") switch
            {
                null or "default" => 0,
                "always_emulate" => 1,
                "native" => 2,
                "native_paravirt" => 3,
                { } other => throw new FormatException($"'{other}' is no mode of the time stamp counter"),
            },
            OnPoweroff = Action(root, "on_poweroff"),
            OnReboot = Action(root, "on_reboot"),
            OnCrash = Action(root, "on_crash"),
            Disks = LibxlDevices.ReadDisks(root),
            Vifs = LibxlDevices.ReadVifs(root),
        };
        return new SavedConfig(config, "linux", IsOurs: false);
    }

    private static CpuSet[] ReadAffinity(JsonElement build, int vcpus)
    {
        CpuSet[] affinity = new CpuSet[vcpus];
        Array.Fill(affinity, CpuSet.All);
        if (build.TryGetProperty("vcpu_hard_affinity", out JsonElement list))
        {
            int vcpu = 0;
            foreach (JsonElement cpus in list.EnumerateArray().Take(vcpus))
            {
                string text = string.Join(',', cpus.EnumerateArray().Select(cpu => cpu.GetInt32()));
                affinity[vcpu++] = CpuSet.Parse(text);
            }
        }

        return affinity;
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static ulong? Number(JsonElement parent, string name) =>
        !parent.TryGetProperty(name, out JsonElement value)
            ? null
            : value.TryGetUInt64(out ulong number) && number <= MaximumMemoryKib
                ? number
                : throw new FormatException($"{name} is no number that it could be");

    private static LifecycleAction Action(JsonElement root, string name) => Text(root, name) switch
    {
        null or "destroy" => LifecycleAction.Destroy,
        "restart" => LifecycleAction.Restart,
        "preserve" => LifecycleAction.Preserve,
        "rename_restart" => LifecycleAction.RenameRestart,
        "coredump_destroy" => LifecycleAction.CoredumpDestroy,
        "coredump_restart" => LifecycleAction.CoredumpRestart,
        { } other => throw new FormatException($"{name} is '{other}', which is no action"),
    };

    private static void Check(DomainConfig config)
    {
        void Require(bool holds, string what)
        {
            if (!holds)
            {
                throw new FormatException($"{what}");
            }
        }

        Require(config.Name is { Length: > 0 and <= 127 } && !config.Name.All(char.IsAsciiDigit)
            && !config.Name.Any(c => c <= ' ' || c == '/' || c >= 127), "its name is none that a domain can have");
        Require(config.MaximumVcpus is >= 1 and <= MaximumVcpus, $"it asks for {config.MaximumVcpus} virtual CPUs");
        Require(config.OnlineVcpus?.Count == config.MaximumVcpus && config.Affinity?.Count == config.MaximumVcpus,
            "its lists of virtual CPUs are not as long as their number");
        Require(config.Affinity!.All(cpus => cpus is { IsEmpty: false }), "a virtual CPU has no CPU to run on");
        Require(config.MaximumMemoryKib is >= 1024 and <= MaximumMemoryKib,
            $"its memory would be {config.MaximumMemoryKib} KiB");
        Require(config.MemoryKib <= config.MaximumMemoryKib, "it asks for more memory than it may have");
        Require(config.Weight is null or (>= 1 and <= 65535), $"its weight is {config.Weight}");
        Require(config.Cap is null or (>= 0 and <= 100 * MaximumVcpus), $"its cap is {config.Cap}");
        Require(config.TscMode is >= 0 and <= 3, $"{config.TscMode} is no mode of the time stamp counter");
        Require(Enum.IsDefined(config.OnPoweroff) && Enum.IsDefined(config.OnReboot) && Enum.IsDefined(config.OnCrash),
            "what is to happen when it stops is unknown");
        foreach (string? text in (string?[])[config.Kernel, config.Ramdisk ?? "", config.CommandLine,
            config.Pool ?? "", config.Description ?? ""])
        {
            Require(text is { Length: <= MaximumText } && !text.Contains('\0'), "one of its texts is too long");
        }

        Require(config.Disks is not null && config.Vifs is not null
            && config.Disks.Concat(config.Vifs).All(entry => entry is { Length: <= 2 * MaximumText }),
            "its lists of disks and network interfaces are none");
        try
        {
            DeviceListCheck.CheckDisks(config.Disks!);
            DeviceListCheck.CheckVifs(config.Vifs!);
        }
        catch (ToolstackException wrong)
        {
            throw new FormatException(wrong.Message, wrong);
        }

        // A file that came from elsewhere must not choose a program of its own.
        Require(config.BootLoader is null || BootLoader.IsInstalledName(config.BootLoader),
            "it wants a boot loader that is not among Xen's programs");
        Require((config.BootLoaderArguments ?? []).All(word => word is { Length: <= MaximumText } && !word.Contains('\0')),
            "its boot loader is told something that is too long");
        Require(config.Vifs!.All(vif => VifSpec.Parse(vif).Script is not { } script
            || script.StartsWith(ScriptFolder, StringComparison.Ordinal)),
            $"a network interface wants a script that is not in {ScriptFolder}");
    }

    private static void WriteLibxl(Utf8JsonWriter json, DomainConfig config)
    {
        json.WriteStartObject("c_info");
        json.WriteString("type", "pv");
        json.WriteString("name", config.Name);
        json.WriteString("uuid", config.Uuid.ToString("D"));
        json.WriteEndObject();
        json.WriteStartObject("b_info");
        json.WriteNumber("max_vcpus", config.MaximumVcpus);
        json.WriteStartArray("avail_vcpus");
        for (int vcpu = 0; vcpu < config.OnlineVcpus.Count; vcpu++)
        {
            if (config.OnlineVcpus[vcpu])
            {
                json.WriteNumberValue(vcpu);
            }
        }

        json.WriteEndArray();
        json.WriteNumber("max_memkb", config.MaximumMemoryKib);
        json.WriteNumber("target_memkb", config.MemoryKib);
        json.WriteNumber("video_memkb", 0);
        json.WriteString("kernel", config.Kernel);
        json.WriteString("cmdline", config.CommandLine);
        if (config.Ramdisk is not null)
        {
            json.WriteString("ramdisk", config.Ramdisk);
        }

        json.WriteStartObject("type.pv");
        json.WriteEndObject();
        json.WriteEndObject();
        LibxlDevices.Write(json, config);
        WriteAction(json, "on_poweroff", config.OnPoweroff);
        WriteAction(json, "on_reboot", config.OnReboot);
        WriteAction(json, "on_crash", config.OnCrash);
    }

    private static void WriteAction(Utf8JsonWriter json, string name, LifecycleAction action) =>
        json.WriteString(name, StoreEntries.Text(action).Replace('-', '_'));
}
