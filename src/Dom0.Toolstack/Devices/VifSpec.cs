// SPDX-License-Identifier: MIT
//
// One entry of 'vif': KEY=VALUE with commas between, in xm and xl alike. What belongs to emulated cards (type, model) is
// read and means nothing to a paravirtualized guest.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;

namespace Dom0.Toolstack.Devices;

/// <summary>A network interface as a configuration asks for it.</summary>
public sealed record VifSpec
{
    private const int MaximumHandle = 1023;

    private const string Keys = "The keys are mac, bridge, ip, script, vifname, rate, mtu, handle, backend, type, model";

    /// <summary>The guest's address; null until one is made.</summary>
    public string? Mac { get; private init; }

    /// <summary>The bridge that Domain-0's end joins.</summary>
    public string Bridge { get; private init; } = "xenbr0";

    /// <summary>Name of Domain-0's end; null for the kernel's.</summary>
    public string? InterfaceName { get; private init; }

    /// <summary>Addresses that the guest is meant to have, for scripts.</summary>
    public string? Addresses { get; private init; }

    /// <summary>The program that connects Domain-0's end in place of joining the bridge.</summary>
    public string? Script { get; private init; }

    /// <summary>How much the guest may send.</summary>
    public TransferRate? Rate { get; private init; }

    /// <summary>Largest packet, which the guest is told; null for Ethernet's 1500.</summary>
    public int? Mtu { get; private init; }

    /// <summary>The number by which the guest knows it; null for the first that is free.</summary>
    public int? Handle { get; private init; }

    /// <summary>Reads an entry; an empty one is an interface with all defaults.</summary>
    /// <exception cref="ToolstackException">It cannot be meant.</exception>
    public static VifSpec Parse(string text)
    {
        VifSpec spec = new();
        HashSet<string> given = [];
        foreach (string word in text.Split(',').Select(word => word.Trim()).Where(word => word.Length > 0))
        {
            int equals = word.IndexOf('=');
            string key = equals < 0 ? word : word[..equals].Trim();
            string value = equals < 0 ? "" : word[(equals + 1)..].Trim();
            if (equals < 0 || value.Length == 0)
            {
                throw Wrong(text, $"'{word}' is not KEY=VALUE", Keys);
            }

            if (!given.Add(key))
            {
                throw Wrong(text, $"{key} is given twice", "Remove one of them");
            }

            spec = spec.With(text, key, value);
        }

        return spec;
    }

    /// <summary>The entries, each with an address of its own, so that a restart finds the same ones.</summary>
    public static IReadOnlyList<string> Complete(IReadOnlyList<string> entries) =>
    [
        .. entries.Select(entry => Parse(entry).Mac is not null
            ? entry
            : $"mac={MacAddress.Generate()}" + (entry.Trim().Length > 0 ? $",{entry}" : "")),
    ];

    /// <summary>May this be the name of an interface?</summary>
    public static bool IsInterfaceName(string name) =>
        name.Length is > 0 and <= 15 && name is not ("." or "..")
        && name.All(c => c is > ' ' and < (char)127 and not ('/' or ':' or '%'));

    private VifSpec With(string text, string key, string value)
    {
        switch (key)
        {
            case "mac":
                return MacAddress.TryParse(value, out string mac)
                    ? this with { Mac = mac }
                    : throw Wrong(text, $"'{value}' is no address that an interface can have",
                        "Write six bytes with colons whose first is even, such as 00:16:3e:01:02:03, or leave it out");
            case "bridge":
                return IsInterfaceName(value)
                    ? this with { Bridge = value }
                    : throw Wrong(text, $"'{value}' cannot name a bridge",
                        "Use up to 15 characters without blanks, colons, per cent signs and slashes");
            case "vifname":
                return IsInterfaceName(value)
                    ? this with { InterfaceName = value }
                    : throw Wrong(text, $"'{value}' cannot name an interface",
                        "Use up to 15 characters without blanks, colons, per cent signs and slashes");
            case "ip":
                return value.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(IsAddress)
                    ? this with { Addresses = value }
                    : throw Wrong(text, $"'{value}' is not one or more addresses", "Write them with blanks between");
            case "script":
                return value.Contains("..", StringComparison.Ordinal) || value.Any(char.IsControl)
                    ? throw Wrong(text, $"'{value}' is no script's name",
                        "Write an absolute path, or the name of a file in /etc/xen/scripts")
                    : this with { Script = value.StartsWith('/') ? value : "/etc/xen/scripts/" + value };
            case "rate":
                return TransferRate.TryParse(value, out TransferRate rate)
                    ? this with { Rate = rate }
                    : throw Wrong(text, $"'{value}' is no rate", "Write such as 10Mb/s, 500KB/s or 1MB/s@20ms");
            case "mtu":
                return int.TryParse(value, out int mtu) && mtu is >= 68 and <= 65521
                    ? this with { Mtu = mtu }
                    : throw Wrong(text, $"the mtu {value} is not from 68 to 65521", "1500 is usual");
            case "handle":
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int handle)
                    && handle <= MaximumHandle
                    ? this with { Handle = handle }
                    : throw Wrong(text, $"the handle {value} is not from 0 to {MaximumHandle}",
                        "Leave it out for the first that is free");
            case "backend":
                return value is "0" or "Domain-0"
                    ? this
                    : throw Wrong(text, $"the back end cannot be in domain '{value}'", "Remove backend=: it is Domain-0");
            case "type":
                return value is "vif" or "ioemu" or "netfront"
                    ? this
                    : throw Wrong(text, $"type={value} is no kind of interface", "Remove type=");
            case "model" or "accel":
                return this;
            default:
                throw Wrong(text, $"'{key}' is no key of a network interface", Keys);
        }
    }

    private static bool IsAddress(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length <= 2 && IPAddress.TryParse(parts[0], out _)
            && (parts.Length == 1 || (int.TryParse(parts[1], out int bits) && bits is >= 0 and <= 128));
    }

    private static ToolstackException Wrong(string text, string what, string remedy) =>
        new($"vif '{text}': {what}", remedy);
}
