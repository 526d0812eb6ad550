// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using Dom0.Toolstack.Devices;
using Xunit;

namespace Dom0.Toolstack.Tests.Devices;

public sealed class DeviceTrafficTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sysfs-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Put(string path, params (string Name, ulong Value)[] counters)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root, "bus/xen-backend/devices", path)).FullName;
        foreach ((string name, ulong value) in counters)
        {
            File.WriteAllText(Path.Combine(folder, name), $"{value}\n");
        }
    }

    [Fact]
    public void Devices_of_a_domain_are_summed_up_and_directions_are_the_guests()
    {
        Put("vif-3-0/net/vif3.0/statistics", ("rx_bytes", 100), ("tx_bytes", 7));
        Put("vif-3-1/net/web/statistics", ("rx_bytes", 1000), ("tx_bytes", 70));
        Put("vif-3-2");
        Put("vbd-3-51712/statistics", ("oo_req", 1), ("rd_req", 2), ("wr_req", 3), ("f_req", 4), ("ds_req", 5), ("rd_sect", 6),
            ("wr_sect", 7));
        Put("vbd-3-51728/statistics", ("rd_req", 20));
        Put("vbd-12-51712/statistics", ("rd_req", 9));
        Put("console-4-0");
        Put("nonsense");
        IReadOnlyDictionary<int, DeviceTraffic> read = DeviceTraffic.Read(_root);
        Assert.Equal(new DeviceTraffic
        {
            Vifs = 3, SentBytes = 1100, ReceivedBytes = 77, Disks = 2, OutOfRequests = 1, ReadRequests = 22, WriteRequests = 3,
            FlushRequests = 4, DiscardRequests = 5, ReadSectors = 6, WrittenSectors = 7,
        }, read[3]);
        Assert.Equal(new DeviceTraffic { Disks = 1, ReadRequests = 9 }, read[12]);
        Assert.Equal(new DeviceTraffic(), read[4]);
    }

    [Fact]
    public void A_host_without_back_ends_has_none() => Assert.Empty(DeviceTraffic.Read(_root));
}
