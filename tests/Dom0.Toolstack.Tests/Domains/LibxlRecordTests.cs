// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text.Json;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Tests.Migration;
using Xunit;

namespace Dom0.Toolstack.Tests.Domains;

public sealed class LibxlRecordTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("libxl-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Libxl_finds_its_description_and_loses_it_with_the_domain()
    {
        LibxlRecord.Write(_folder, 7, SavedFiles.Config);
        LibxlRecord.Write(_folder, 7, SavedFiles.Config with { Vifs = ["handle=1"] });
        LibxlRecord.Write(_folder, 77, SavedFiles.Config);
        string path = Path.Combine(_folder, "userdata-d.7.06ed00fe-1162-4fc4-b5d8-11993ee4a8b9.libxl-json");
        using (JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path)))
        {
            Assert.Equal("guest", json.RootElement.GetProperty("c_info").GetProperty("name").GetString());
            Assert.Equal(1, json.RootElement.GetProperty("nics").GetArrayLength());
        }

        LibxlRecord.Remove(_folder, 7);
        Assert.Contains("userdata-d.77.", Assert.Single(Directory.GetFiles(_folder)));
    }

    [Fact]
    public void Without_libxl_nothing_is_written()
    {
        LibxlRecord.Write(null, 7, SavedFiles.Config);
        LibxlRecord.Remove(null, 7);
        LibxlRecord.Write(Path.Combine(_folder, "missing"), 7, SavedFiles.Config);
        Assert.Empty(Directory.GetFiles(_folder));
    }
}
