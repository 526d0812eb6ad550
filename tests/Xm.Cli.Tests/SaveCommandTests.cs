// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack.Tests.Migration;
using Xunit;

namespace Xm.Cli.Tests;

public sealed class SaveCommandTests : IDisposable
{
    private readonly XmHarness _xm = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("xm-save-").FullName;

    private string File => Path.Combine(_directory, "file");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Save_verify_shows_the_records_and_the_domain_without_a_hypervisor()
    {
        System.IO.File.WriteAllBytes(File, SavedFiles.Write(SavedFiles.Records()));
        _xm.HasStore = false;
        Assert.Equal(0, _xm.Run("save-verify", File));
        string[] lines = _xm.Output.Split('\n');
        Assert.Matches("^ +Offset Record +Bytes Checksum +Contents$", lines[0]);
        Assert.Matches("^ +[0-9]+ X86_PV_INFO +8 [0-9a-f]{16} 64-bit, 4 levels$", lines[1]);
        Assert.Equal(8 + SavedFiles.Records().Count, lines.Count(line => line.Length > 0) + 1);
        Assert.Contains("name           guest\n", _xm.Output);
        Assert.Contains("virtual CPUs   2 of 2\n", _xm.Output);
        Assert.EndsWith("all checksums are right.\n", _xm.Output);

        Assert.Equal(0, _xm.Run("save-verify", "--json", File));
        using JsonDocument json = JsonDocument.Parse(_xm.Output);
        Assert.Equal("guest", json.RootElement.GetProperty("name").GetString());
        Assert.Equal(SavedFiles.Records().Count, json.RootElement.GetProperty("records").GetArrayLength());
        Assert.Empty(_xm.Hypervisor.Calls);
    }

    [Fact]
    public void Damage_is_told_with_file_record_and_offset()
    {
        byte[] file = SavedFiles.Write(SavedFiles.Records());
        file[^40] ^= 1;
        System.IO.File.WriteAllBytes(File, file);
        foreach (string command in new[] { "save-verify", "restore" })
        {
            Assert.Equal(1, _xm.Run(command, File));
            Assert.Matches($"^Error: {File}: X86_PV_VCPU_MSRS at offset [0-9]+: its contents", _xm.Errors);
            Assert.Equal("", _xm.Output);
        }

        Assert.Equal([0], _xm.Hypervisor.Domains.Keys);
        Assert.Equal(1, _xm.Run("save-verify", File + "x"));
        Assert.StartsWith($"Error: cannot read {File}x: it does not exist", _xm.Errors);
    }

    [Fact]
    public void Save_wants_a_time_that_is_one_and_a_domain_that_can_be_saved()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(2, _xm.Run("save", "guest"));
        Assert.Equal(2, _xm.Run("save", "-t", "soon", "guest", File));
        Assert.Equal(1, _xm.Run("save", "0", File));
        Assert.StartsWith("Error: Domain-0 cannot be saved", _xm.Errors);
        Assert.False(System.IO.File.Exists(File));
    }
}
