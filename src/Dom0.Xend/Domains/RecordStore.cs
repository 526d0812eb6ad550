// SPDX-License-Identifier: MIT
//
// One file for each domain, replaced by rename: a reader, after whatever crash, finds the old state or the new one. A
// file that makes no sense is put aside and said, and does not keep the others from being read.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack;

namespace Dom0.Xend.Domains;

/// <summary>Records of domains in a directory.</summary>
internal class RecordStore
{
    private const string Suffix = ".json";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory;
    private readonly Dictionary<Guid, DomainRecord> _records = [];

    /// <summary>Reads what is there; the directory is made when needed.</summary>
    public RecordStore(string directory, Action<string> log)
    {
        _directory = directory;
        Guarded("reading", () =>
        {
            _ = Directory.CreateDirectory(directory, OwnerOnly);
            foreach (string path in Directory.EnumerateFiles(directory, "*" + Suffix).Order(StringComparer.Ordinal))
            {
                Load(path, log);
            }
        });
    }

    /// <summary>All records, by name.</summary>
    public IReadOnlyList<DomainRecord> All =>
        [.. _records.Values.OrderBy(record => record.Name, StringComparer.Ordinal)];

    /// <summary>The record of an identity.</summary>
    public DomainRecord? Find(Guid uuid) => _records.GetValueOrDefault(uuid);

    /// <summary>The record of a name.</summary>
    public DomainRecord? Find(string name) => _records.Values.FirstOrDefault(record => record.Name == name);

    /// <summary>Keeps a record; it is on disk when this returns.</summary>
    public virtual void Save(DomainRecord record)
    {
        Guarded("writing", () =>
        {
            string path = PathOf(record.Uuid);
            using (FileStream file = new(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None, 1))
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(record, XendJson.Default.DomainRecord));
                file.Flush(flushToDisk: true);
            }

            File.Move(path + ".new", path, overwrite: true);
        });
        _records[record.Uuid] = record;
    }

    /// <summary>Forgets a record.</summary>
    public virtual void Remove(Guid uuid)
    {
        Guarded("removing", () => File.Delete(PathOf(uuid)));
        _ = _records.Remove(uuid);
    }

    private string PathOf(Guid uuid) => Path.Combine(_directory, uuid.ToString("D") + Suffix);

    private void Load(string path, Action<string> log)
    {
        try
        {
            DomainRecord record = JsonSerializer.Deserialize(File.ReadAllBytes(path), XendJson.Default.DomainRecord)
                ?? throw new JsonException("it is empty");
            _records[record.Uuid] = record;
        }
        catch (JsonException wrong)
        {
            log($"{path} is no record of a domain and is put aside: {wrong.Message}");
            File.Move(path, path + ".bad", overwrite: true);
        }
    }

    private void Guarded(string what, Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ToolstackException($"{what} the state in {_directory} failed: {failure.Message}",
                "Make room there, and check that xend runs as root", failure);
        }
    }
}
