// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Migration;

/// <summary>Looks at the file of a saved domain without a hypervisor.</summary>
public static class SaveFileVerifier
{
    /// <summary>Checks all of a file and says what is in it.</summary>
    /// <exception cref="SaveFileException">It is damaged or cannot be restored.</exception>
    public static SaveSummary Verify(string path)
    {
        using FileStream stream = FileFailures.Open(path);
        try
        {
            SavedDomain domain = SavedDomainChecker.Check(stream, path);
            DomainConfig config = domain.Opening.Config.Config;
            return new SaveSummary
            {
                File = path,
                Bytes = stream.Length,
                Writer = domain.Opening.Config.IsOurs ? "xm" : "xl",
                ImageVersion = domain.Opening.ImageVersion,
                XenVersion = $"{domain.Opening.XenMajor}.{domain.Opening.XenMinor}",
                HasChecksums = domain.Records.TrueForAll(record => record.Checksum is not null),
                Name = config.Name,
                Uuid = config.Uuid,
                MemoryKib = (ulong)domain.Pages * 4,
                MaximumMemoryKib = config.MaximumMemoryKib,
                MaximumVcpus = config.MaximumVcpus,
                OnlineVcpus = domain.Vcpus.Count,
                PageTables = domain.PageTables,
                Disks = config.Disks,
                Vifs = config.Vifs,
                Records = domain.Records,
            };
        }
        catch (Exception failure) when (FileFailures.IsOne(failure))
        {
            throw new ToolstackException($"reading {path}: {FileFailures.Describe(failure)}", null, failure);
        }
    }
}
