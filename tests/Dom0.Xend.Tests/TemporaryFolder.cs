// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace Dom0.Xend.Tests;

/// <summary>A folder that goes with the test. It lies in memory: records are flushed to the disk, thousands of times.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Memory = "/dev/shm";

    public TemporaryFolder() => _ = Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(
        Directory.Exists(Memory) ? Memory : System.IO.Path.GetTempPath(), $"xend-test-{Guid.NewGuid():N}");

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
