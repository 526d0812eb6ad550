// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;

namespace Dom0.Toolstack.Migration;

/// <summary>Disks and network interfaces in libxl's JSON: its members <c>disks</c> and <c>nics</c>.</summary>
internal static class LibxlDevices
{
    private const string UsualDiskScript = "block";
    private const string UsualVifScript = "vif-bridge";

    /// <summary>Writes both lists.</summary>
    public static void Write(Utf8JsonWriter json, DomainConfig config)
    {
        json.WriteStartArray("disks");
        foreach (DiskSpec disk in config.Disks.Select(DiskSpec.Parse))
        {
            json.WriteStartObject();
            json.WriteString("pdev_path", disk.Target);
            json.WriteString("vdev", disk.Name);
            json.WriteString("format", "raw");
            json.WriteNumber("readwrite", disk.Mode == DiskMode.ReadOnly ? 0 : 1);
            json.WriteNumber("is_cdrom", disk.IsCdrom ? 1 : 0);
            json.WriteNumber("removable", disk.IsCdrom ? 1 : 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("nics");
        foreach ((int place, VifSpec vif) in config.Vifs.Select(VifSpec.Parse).Index())
        {
            json.WriteStartObject();
            json.WriteNumber("devid", vif.Handle ?? place);
            WriteUnlessNull(json, "mac", vif.Mac);
            json.WriteString("bridge", vif.Bridge);
            json.WriteString("nictype", "vif");
            WriteUnlessNull(json, "ifname", vif.InterfaceName);
            WriteUnlessNull(json, "ip", vif.Addresses);
            WriteUnlessNull(json, "script", vif.Script);
            if (vif.Mtu is { } mtu)
            {
                json.WriteNumber("mtu", mtu);
            }

            if (vif.Rate is { } rate)
            {
                json.WriteNumber("rate_bytes_per_interval", rate.Bytes);
                json.WriteNumber("rate_interval_usecs", rate.Microseconds);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>The disks as entries of <c>disk</c>.</summary>
    public static IReadOnlyList<string> ReadDisks(JsonElement root) => [.. Elements(root, "disks").Select(ReadDisk)];

    /// <summary>The network interfaces as entries of <c>vif</c>.</summary>
    public static IReadOnlyList<string> ReadVifs(JsonElement root) => [.. Elements(root, "nics").Select(ReadVif)];

    private static string ReadDisk(JsonElement disk)
    {
        List<string> words = [$"vdev={Text(disk, "vdev")}", $"access={(Flag(disk, "readwrite") ? "w" : "r")}"];
        Add(words, "format", Text(disk, "format"));
        Add(words, "backendtype", Text(disk, "backend") is "phy" or "unknown" ? null : Text(disk, "backend"));
        Add(words, "backend", Domain(disk));
        Add(words, "devtype", Flag(disk, "is_cdrom") ? "cdrom" : null);
        Add(words, "script", UnlessUsual(Text(disk, "script"), UsualDiskScript));
        words.Add($"target={Text(disk, "pdev_path")}");
        return string.Join(',', words);
    }

    private static string ReadVif(JsonElement vif)
    {
        List<string> words = [];
        Add(words, "handle", Number(vif, "devid"));
        Add(words, "mac", Text(vif, "mac"));
        Add(words, "bridge", Text(vif, "bridge"));
        Add(words, "vifname", Text(vif, "ifname"));
        Add(words, "ip", Text(vif, "ip"));
        Add(words, "mtu", Number(vif, "mtu"));
        Add(words, "backend", Domain(vif));
        Add(words, "script", UnlessUsual(Text(vif, "script"), UsualVifScript));
        Add(words, "rate", TransferRate.TryReadNode(
            $"{Number(vif, "rate_bytes_per_interval")},{Number(vif, "rate_interval_usecs")}", out TransferRate rate)
            ? rate.Text
            : null);
        return string.Join(',', words);
    }

    /// <summary>What the usual script does is done here without it.</summary>
    private static string? UnlessUsual(string? script, string usual) =>
        script == usual || script == "/etc/xen/scripts/" + usual ? null : script;

    private static string? Domain(JsonElement device) => Text(device, "backend_domname") ?? Number(device, "backend_domid");

    private static IEnumerable<JsonElement> Elements(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement list) ? list.EnumerateArray() : [];

    private static void Add(List<string> words, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            words.Add($"{key}={value}");
        }
    }

    private static void WriteUnlessNull(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static string? Number(JsonElement parent, string name) => parent.TryGetProperty(name, out JsonElement value)
        ? value.GetUInt64().ToString(CultureInfo.InvariantCulture)
        : null;

    private static bool Flag(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement value) && value.GetInt32() != 0;
}
