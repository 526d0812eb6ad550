// SPDX-License-Identifier: MIT
//
// The back ends count in sysfs. A device that goes while it is read counts as nothing.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Dom0.Toolstack.Devices;

/// <summary>What the devices of a domain have moved since they were made, as the domain sees it.</summary>
public sealed record DeviceTraffic
{
    private const string Devices = "bus/xen-backend/devices";

    /// <summary>Network interfaces.</summary>
    public int Vifs { get; init; }

    /// <summary>Bytes that the domain has sent.</summary>
    public ulong SentBytes { get; init; }

    /// <summary>Bytes that it has been sent.</summary>
    public ulong ReceivedBytes { get; init; }

    /// <summary>Disks.</summary>
    public int Disks { get; init; }

    /// <summary>Times that the back end had no room for a request.</summary>
    public ulong OutOfRequests { get; init; }

    /// <summary>Requests to read.</summary>
    public ulong ReadRequests { get; init; }

    /// <summary>Requests to write.</summary>
    public ulong WriteRequests { get; init; }

    /// <summary>Requests to flush.</summary>
    public ulong FlushRequests { get; init; }

    /// <summary>Requests to discard.</summary>
    public ulong DiscardRequests { get; init; }

    /// <summary>Sectors of 512 bytes that were read.</summary>
    public ulong ReadSectors { get; init; }

    /// <summary>Sectors that were written.</summary>
    public ulong WrittenSectors { get; init; }

    /// <summary>The domains that have devices, by number; <paramref name="root"/> is where sysfs is mounted.</summary>
    public static IReadOnlyDictionary<int, DeviceTraffic> Read(string root = "/sys")
    {
        Dictionary<int, DeviceTraffic> domains = [];
        string folder = Path.Combine(root, Devices);
        foreach (string device in Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder) : [])
        {
            // KIND-DOMAIN-INDEX
            string[] words = Path.GetFileName(device).Split('-');
            if (words.Length == 3 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                DeviceTraffic traffic = domains.GetValueOrDefault(id) ?? new DeviceTraffic();
                domains[id] = words[0] switch
                {
                    "vif" => traffic.WithVif(Path.Combine(device, "net")),
                    "vbd" => traffic.WithDisk(Path.Combine(device, "statistics")),
                    _ => traffic,
                };
            }
        }

        return domains;
    }

    private static ulong Number(string folder, string name)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(Path.Combine(folder, name)).Trim(), NumberStyles.None,
                CultureInfo.InvariantCulture, out ulong number) ? number : 0;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static string? Interface(string folder)
    {
        try
        {
            return Directory.EnumerateDirectories(folder).FirstOrDefault();
        }
        catch (IOException)
        {
            // It has not been made yet, or is gone.
            return null;
        }
    }

    private DeviceTraffic WithVif(string folder)
    {
        // What the guest sends Domain-0's end receives.
        string? statistics = Interface(folder) is { } found ? Path.Combine(found, "statistics") : null;
        return this with
        {
            Vifs = Vifs + 1,
            SentBytes = SentBytes + (statistics is null ? 0 : Number(statistics, "rx_bytes")),
            ReceivedBytes = ReceivedBytes + (statistics is null ? 0 : Number(statistics, "tx_bytes")),
        };
    }

    private DeviceTraffic WithDisk(string statistics) => this with
    {
        Disks = Disks + 1,
        OutOfRequests = OutOfRequests + Number(statistics, "oo_req"),
        ReadRequests = ReadRequests + Number(statistics, "rd_req"),
        WriteRequests = WriteRequests + Number(statistics, "wr_req"),
        FlushRequests = FlushRequests + Number(statistics, "f_req"),
        DiscardRequests = DiscardRequests + Number(statistics, "ds_req"),
        ReadSectors = ReadSectors + Number(statistics, "rd_sect"),
        WrittenSectors = WrittenSectors + Number(statistics, "wr_sect"),
    };
}
