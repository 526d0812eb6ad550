// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Dom0.Toolstack.Domains;
using Xunit;

namespace Dom0.Toolstack.Tests.Domains;

public sealed class Dom0FloorTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    private ulong? Read(string text)
    {
        File.WriteAllText(_file, text);
        return Dom0Floor.Read(524288, _file);
    }

    [Fact]
    public void The_floor_is_what_is_used_and_a_reserve()
    {
        Assert.Equal(524288UL - 300000 + 65536, Read("MemTotal:  500000 kB\nMemFree: 1 kB\nMemAvailable:   300000 kB\n"));
        Assert.Equal(65536UL, Read("MemAvailable: 99999999 kB\n"));
        Assert.Null(Read("MemTotal: 5 kB\n"));
        Assert.Null(Read("MemAvailable: much\n"));
        Assert.Null(Dom0Floor.Read(1, "/no/such/file"));
    }
}
