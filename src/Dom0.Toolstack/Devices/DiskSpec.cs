// SPDX-License-Identifier: MIT
//
// One entry of 'disk'. The two languages differ in what stands between target and name: xm writes TYPE:TARGET,NAME,MODE,
// xl writes TARGET,FORMAT,NAME,MODE, or the same as KEY=VALUE in any order, of which target=, since it may contain
// commas, takes the rest. A TYPE: in front takes the place of FORMAT in both.
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Devices;

/// <summary>Who may use what is behind a disk at the same time.</summary>
public enum DiskMode
{
    /// <summary>Read only; others may read too.</summary>
    ReadOnly,

    /// <summary>Written by this domain and used by nobody else.</summary>
    Writable,

    /// <summary>Written, whoever else uses it: for cluster file systems.</summary>
    SharedWritable,
}

/// <summary>What serves a disk.</summary>
public enum DiskSource
{
    /// <summary>A block device, or a file, whichever the target is.</summary>
    Either,

    /// <summary>A block device of Domain-0.</summary>
    BlockDevice,

    /// <summary>A file, by a loop device.</summary>
    File,
}

/// <summary>A disk as a configuration asks for it.</summary>
public sealed record DiskSpec
{
    private const string Forms = "Write TYPE:TARGET,NAME,MODE such as 'phy:/dev/vg/root,xvda,w', or "
        + "'format=raw, vdev=xvda, access=rw, target=/path'";

    /// <summary>What serves it.</summary>
    public DiskSource Source { get; private init; }

    /// <summary>The device or file in Domain-0, an absolute path.</summary>
    public required string Target { get; init; }

    /// <summary>The name that the user gave it.</summary>
    public required string Name { get; init; }

    /// <summary>The number by which the guest knows it.</summary>
    public required int Number { get; init; }

    /// <summary>How it may be used.</summary>
    public DiskMode Mode { get; private init; } = DiskMode.Writable;

    /// <summary>Shown to the guest as a CD-ROM.</summary>
    public bool IsCdrom { get; private init; }

    /// <summary>Reads an entry.</summary>
    /// <exception cref="ToolstackException">It cannot be meant, or cannot be done.</exception>
    public static DiskSpec Parse(string text)
    {
        Draft draft = new(text);
        string rest = text;
        while (rest.Length > 0)
        {
            string trimmed = rest.TrimStart();
            if (trimmed.StartsWith("target=", StringComparison.Ordinal))
            {
                draft.SetTarget(trimmed["target=".Length..]);
                break;
            }

            int comma = rest.IndexOf(',');
            draft.Take((comma < 0 ? rest : rest[..comma]).Trim());
            rest = comma < 0 ? "" : rest[(comma + 1)..];
        }

        return draft.Finish();
    }

    private sealed class Draft(string text)
    {
        private readonly HashSet<string> _given = [];
        private string? _target;
        private string? _format;
        private string? _name;
        private string? _access;
        private bool _hasType;
        private bool _isCdrom;
        private DiskSource _source;
        private int _position;

        public void SetTarget(string target)
        {
            Once("target");
            (_source, _target, _hasType) = SplitType(target.Trim());
        }

        public void Take(string word)
        {
            int equals = word.IndexOf('=');
            if (equals > 0)
            {
                TakeKey(word[..equals].Trim(), word[(equals + 1)..].Trim());
                return;
            }

            switch (word)
            {
                case "cdrom":
                    _isCdrom = true;
                    return;
                case "discard" or "no-discard" or "direct-io-safe":
                    throw Wrong($"{word} cannot be chosen: the back end decides", "Remove the word");
            }

            // An empty word keeps its place.
            switch (_position++)
            {
                case 0 when _target is null:
                    SetTarget(word);
                    break;
                case 0 or 1 when !_hasType && _format is null:
                    (_format, _position) = (word, 2);
                    break;
                case <= 2 when _name is null:
                    (_name, _position) = (word, 3);
                    break;
                case <= 3 when _access is null:
                    (_access, _position) = (word, 4);
                    break;
                default:
                    throw Wrong($"'{word}' is one word too many", Forms);
            }
        }

        public DiskSpec Finish()
        {
            if (string.IsNullOrEmpty(_name))
            {
                throw Wrong("it has no name for the guest", Forms);
            }

            string name = _name;
            int colon = name.IndexOf(':');
            if (colon >= 0)
            {
                _isCdrom |= name[(colon + 1)..] switch
                {
                    "cdrom" => true,
                    "disk" => false,
                    { } other => throw Wrong($"'{other}' is neither disk nor cdrom", Forms),
                };
                name = name[..colon];
            }

            if (_format is not (null or "" or "raw"))
            {
                throw Wrong($"the format {_format} is not served: the kernel's back end knows raw images",
                    "Convert the image: qemu-img convert -O raw");
            }

            if (string.IsNullOrEmpty(_target))
            {
                throw Wrong("it has no target, and a drive without a medium needs a fully virtualized guest", Forms);
            }

            return !_target.StartsWith('/') || _target.Contains('\0') || _target.Length > 1023
                ? throw Wrong($"the target '{_target}' is no absolute path", "Begin it with a slash")
                : !DiskNumber.TryParse(name, out int number)
                    ? throw Wrong($"'{name}' names no virtual disk",
                        "Use xvda, xvdb …, sda … sdp, hda … hdd, with a partition behind it if need be, or a number")
                    : new DiskSpec
                    {
                        Source = _source,
                        Target = _target,
                        Name = name,
                        Number = number,
                        Mode = ReadMode(),
                        IsCdrom = _isCdrom,
                    };
        }

        private void TakeKey(string key, string value)
        {
            Once(key);
            switch (key)
            {
                case "format":
                    _format = value;
                    break;
                case "vdev":
                    _name = value;
                    break;
                case "access":
                    _access = value;
                    break;
                case "devtype":
                    _isCdrom = value switch
                    {
                        "cdrom" => true,
                        "disk" => false,
                        _ => throw Wrong($"devtype={value} is neither disk nor cdrom", Forms),
                    };
                    break;
                case "backendtype":
                    _source = value is "phy"
                        ? DiskSource.Either
                        : throw Wrong($"the back end '{value}' is not offered: the kernel's is", "Write backendtype=phy");
                    break;
                case "backend":
                    _ = value is "0" or "Domain-0"
                        ? true
                        : throw Wrong($"the back end cannot be in domain '{value}'", "Remove backend=: it is Domain-0");
                    break;
                case "script":
                    throw Wrong("scripts for disks are not run", "Set the device up first and name it as phy:/dev/NAME");
                default:
                    throw Wrong($"'{key}' is no key of a disk", Forms);
            }
        }

        private DiskMode ReadMode() => _access switch
        {
            "r" or "ro" => DiskMode.ReadOnly,
            null or "" when _isCdrom => DiskMode.ReadOnly,
            null or "" or "w" or "rw" => DiskMode.Writable,
            "w!" => DiskMode.SharedWritable,
            "r!" => DiskMode.ReadOnly,
            _ => throw Wrong($"the mode '{_access}' is none of r, w, w!", Forms),
        };

        private (DiskSource Source, string Target, bool HasType) SplitType(string target)
        {
            int colon = target.IndexOf(':');
            if (colon <= 0 || target.StartsWith('/'))
            {
                return (_source, target, false);
            }

            string type = target[..colon];
            string path = target[(colon + 1)..];
            switch (type)
            {
                case "phy":
                    return (DiskSource.BlockDevice,
                        path.StartsWith('/') || path.Length == 0 ? path : "/dev/" + path, true);
                case "file" or "raw" or "aio":
                    return (DiskSource.File, path, true);
                case "tap" or "tap2":
                    return path.StartsWith("aio:", StringComparison.Ordinal)
                        ? (DiskSource.File, path["aio:".Length..], true)
                        : throw Wrong($"{type}: needs a back end that Linux does not have any more; raw images are served "
                            + "without it", "Convert the image (qemu-img convert -O raw) and write file: instead");
                default:
                    throw Wrong($"the type '{type}' is none of phy, file, tap:aio", Forms);
            }
        }

        private void Once(string key)
        {
            if (!_given.Add(key))
            {
                throw Wrong($"{key} is given twice", "Remove one of them");
            }
        }

        private ToolstackException Wrong(string what, string remedy) => new($"disk '{text}': {what}", remedy);
    }
}
