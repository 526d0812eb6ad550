// SPDX-License-Identifier: MIT
//
// The numbers by which guests know their disks, as Xen's interface document gives them. The name is the user's way to
// write the number: a guest may call the disk something else. In most names the letters count disks (a, …, z, aa, …) and
// digits behind them are a partition; a disk and a partition of it are devices of their own.
//
//   xvd, d    202 << 8 | disk << 4 | partition      up to disk 15 and partition 15
//             1 << 28 | disk << 8 | partition       beyond
//   sd        8 << 8 | disk << 4 | partition        up to disk 15 and partition 15
//   hd        3 << 8 | disk << 6 | partition        disks 0 and 1, partition up to 63
//             22 << 8 | (disk - 2) << 6 | partition disks 2 and 3
using System;
using System.Globalization;

namespace Dom0.Toolstack.Devices;

/// <summary>Names of virtual disks and their numbers.</summary>
public static class DiskNumber
{
    private const int MaximumDisk = (1 << 20) - 1;
    private const int MaximumPartition = 255;

    /// <summary>The number of <c>xvda</c>, <c>sda1</c>, <c>hdc</c>, <c>d0p1</c>, <c>51712</c> or <c>0xca00</c>.</summary>
    public static bool TryParse(string name, out int number)
    {
        number = -1;
        if (name.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return int.TryParse(name.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
                && number >= 0;
        }

        if (name.Length > 0 && char.IsAsciiDigit(name[0]))
        {
            return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        }

        if (!TrySplit(name, out string family, out int disk, out int partition))
        {
            return false;
        }

        number = family switch
        {
            "sd" when disk < 16 && partition < 16 => (8 << 8) | (disk << 4) | partition,
            "hd" when disk < 2 && partition < 64 => (3 << 8) | (disk << 6) | partition,
            "hd" when disk < 4 && partition < 64 => (22 << 8) | ((disk - 2) << 6) | partition,
            "xvd" or "d" when disk < 16 && partition < 16 => (202 << 8) | (disk << 4) | partition,
            "xvd" or "d" when disk <= MaximumDisk && partition <= MaximumPartition =>
                (1 << 28) | (disk << 8) | partition,
            _ => -1,
        };
        return number >= 0;
    }

    private static bool TrySplit(string name, out string family, out int disk, out int partition)
    {
        (family, disk, partition) = ("", 0, 0);
        if (name.Length > 1 && name[0] == 'd' && char.IsAsciiDigit(name[1]))
        {
            family = "d";
            string[] parts = name[1..].Split('p');
            return parts.Length <= 2 && TryCount(parts[0], out disk)
                && (parts.Length == 1 || TryCount(parts[1], out partition));
        }

        family = name.StartsWith("xvd", StringComparison.Ordinal) ? "xvd" : name.Length > 2 ? name[..2] : "";
        int at = family.Length;
        long letters = 0;
        for (; at < name.Length && name[at] is >= 'a' and <= 'z' && letters <= MaximumDisk; at++)
        {
            letters = (letters * 26) + name[at] - 'a' + 1;
        }

        disk = (int)letters - 1;
        return letters is > 0 and <= MaximumDisk + 1
            && (at == name.Length || (TryCount(name[at..], out partition) && partition > 0));
    }

    /// <summary>Digits without a leading zero, so that each device has one name.</summary>
    private static bool TryCount(string digits, out int count) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count)
        && (digits.Length == 1 || digits[0] != '0');
}
