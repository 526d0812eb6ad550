// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// One device of each kind that QEMU has and Debian drives: disks whose files are here to be looked into, network cards behind
/// which an echo answers, a USB keyboard and a VGA card.
/// </summary>
internal sealed class DeviceBench : IDisposable
{
    private const int Megabytes = 4;
    private const int EchoMegabytes = 3;
    private const long FourGigabytes = 1L << 32;
    private const string Ide = "ata_piix";

    /// <summary>Driver; QEMU's device behind the bus or controller that it needs; its name for udev.</summary>
    private static readonly (string Driver, string[] Controller, string Device, string Link)[] s_disks =
    [
        (Ide, [], "ide-hd,bus=ide.0,serial=xt-ata_piix", "ata-QEMU_HARDDISK_xt-ata_piix"),
        ("ahci", ["-device", "ich9-ahci,id=ahci-bus"], "ide-hd,bus=ahci-bus.0,serial=xt-ahci", "ata-QEMU_HARDDISK_xt-ahci"),
        ("virtio_blk", [], "virtio-blk-pci,serial=xt-virtio_blk", "virtio-xt-virtio_blk"),
        ("nvme", [], "nvme,serial=xt-nvme", "nvme-QEMU_NVMe_Ctrl_xt-nvme"),
    ];

    private static readonly (string Driver, string Device)[] s_networks =
        [("e1000", "e1000"), ("e1000e", "e1000e"), ("virtio_net", "virtio-net-pci")];

    private readonly string _folder = Directory.CreateTempSubdirectory("xt-devices-").FullName;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();

    public DeviceBench()
    {
        foreach ((string driver, _, _, _) in s_disks)
        {
            using FileStream disk = File.Create(FileOf(driver));
            disk.SetLength(16 << 20);
        }

        _listener.Start();
        _ = Task.Run(EchoAsync);
    }

    public Monitor Monitor { get; } = new();

    /// <summary>The machine's arguments. IDE is the older board's alone: on the other QEMU's controller reaches no disk.</summary>
    public string[] Arguments(string board)
    {
        List<string> line =
        [
            .. Monitor.Arguments, "-device", "qemu-xhci", "-device", "usb-kbd",
        ];
        foreach ((string driver, string[] controller, string device, _) in s_disks)
        {
            if (driver == Ide && board != "pc")
            {
                continue;
            }

            line.AddRange(controller);
            line.AddRange(["-drive", $"if=none,id=file-{driver},format=raw,file={FileOf(driver)}",
                "-device", $"{device},id={driver},drive=file-{driver}"]);
        }

        for (int i = 0; i < s_networks.Length; i++)
        {
            (string driver, string device) = s_networks[i];
            line.AddRange(["-netdev", $"user,id=net-{driver},net=10.{70 + i}.0.0/24",
                "-device", $"{device},netdev=net-{driver},mac={Mac(i)}"]);
        }

        return [.. line];
    }

    /// <summary>
    /// What is written to each disk and flushed is in its file, and is read back. The data lies where Domain-0 has it, beyond
    /// 4 GiB for the most part: where a device cannot reach that far, Linux says that it copied it.
    /// </summary>
    public void DisksKeepWhatIsWritten(Dom0Session dom0, params string[] drivers)
    {
        const string Trace = "/sys/kernel/tracing";
        _ = dom0.Require($"echo 1 >{Trace}/events/swiotlb/swiotlb_bounced/enable; echo >{Trace}/trace");
        foreach (string driver in drivers)
        {
            (_, _, _, string link) = s_disks.Single(disk => disk.Driver == driver);
            string sum = dom0.Require($"set -e; cd /dev/shm; disk=$(readlink -f /dev/disk/by-id/{link}); "
                + $"head -c {Megabytes}M /dev/urandom >data; "
                + $"dd if=data of=$disk bs=64k oflag=direct conv=fsync status=none; blockdev --flushbufs $disk; "
                + $"dd if=$disk bs=64k iflag=direct count={Megabytes * 16} status=none | cmp - data; "
                + "md5sum <data | cut -c1-32", 120).Trim();

            using FileStream file = new(FileOf(driver), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] written = new byte[Megabytes << 20];
            file.ReadExactly(written);
            Assert.Equal(sum, Convert.ToHexStringLower(MD5.HashData(written)));

            // The sixteenth figure is the number of flushes that the device has acknowledged.
            string flushes = dom0.Require($"disk=$(readlink -f /dev/disk/by-id/{link}); awk '{{ print $16 }}' /sys/block/${{disk##*/}}/stat");
            Assert.True(int.Parse(flushes.Trim(), CultureInfo.InvariantCulture) > 0, $"{driver}: nothing was flushed");

            string loaded = dom0.Require("lsmod | cut -d' ' -f1");
            Assert.Contains($"\n{driver}\n", loaded);
        }

        string trace = dom0.Require($"echo 0 >{Trace}/events/swiotlb/swiotlb_bounced/enable; "
            + $"grep -o 'dev_name: .*' {Trace}/trace | sort | uniq -c | sort -rn | head -400");
        bool isBeyondReach = trace.Split('\n').Any(line => line.Contains("dma_mask=ffffffff ", StringComparison.Ordinal)
            && Field(line, "dev_addr=") >= FourGigabytes);
        Assert.True(isBeyondReach || !drivers.Contains(Ide), $"No disk with a mask of 32 bits was given memory beyond 4 GiB:\n{trace}");
    }

    /// <summary>Some MiB through each network card to the outside and back, over TCP, come back unchanged.</summary>
    public void NetworksCarry(Dom0Session dom0, params string[] drivers)
    {
        int port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        foreach (string driver in drivers)
        {
            int number = Array.FindIndex(s_networks, network => network.Driver == driver);
            string found = dom0.Require(
                $"card=$(basename $(dirname $(grep -l {Mac(number)} /sys/class/net/*/address))); "
                + $"for i in $(seq 60); do ip -4 addr show $card | grep -q 10.{70 + number}.0. && break; sleep 1; done; "
                + "basename $(readlink /sys/class/net/$card/device/driver); ip -4 -br addr show $card", 120);
            Assert.StartsWith(driver + "\n", found);
            Assert.Contains($"10.{70 + number}.0.", found);

            string sums = dom0.Require($"head -c {EchoMegabytes}M /dev/urandom >/dev/shm/sent; "
                + $"exec 3<>/dev/tcp/10.{70 + number}.0.2/{port}; cat /dev/shm/sent >&3 & "
                + $"head -c {EchoMegabytes}M <&3 | md5sum; md5sum </dev/shm/sent", 120);
            string[] lines = sums.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(2, lines.Length);
            Assert.Equal(lines[1], lines[0]);
            string bytes = dom0.Require(
                $"cat $(dirname $(grep -l {Mac(number)} /sys/class/net/*/address))/statistics/?x_bytes");
            Assert.All(bytes.Split('\n', StringSplitOptions.RemoveEmptyEntries),
                count => Assert.True(long.Parse(count, CultureInfo.InvariantCulture) > EchoMegabytes << 20));
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        Monitor.Dispose();
        Directory.Delete(_folder, true);
        _end.Dispose();
    }

    private static string Mac(int number) => $"52:54:00:78:74:0{number}";

    /// <summary>A number in hexadecimal behind its name.</summary>
    private static long Field(string line, string name)
    {
        int start = line.IndexOf(name, StringComparison.Ordinal) + name.Length;
        string digits = new([.. line[start..].TakeWhile(char.IsAsciiHexDigit)]);
        return long.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private string FileOf(string driver) => Path.Combine(_folder, driver + ".img");

    private async Task EchoAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token).ConfigureAwait(false);
                _ = Task.Run(async () =>
                {
                    using TcpClient held = client;
                    NetworkStream stream = held.GetStream();
                    await stream.CopyToAsync(stream, _end.Token).ConfigureAwait(false);
                });
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }
}
