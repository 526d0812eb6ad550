// SPDX-License-Identifier: MIT
using System;
using System.Globalization;

namespace Dom0.Toolstack.Devices;

/// <summary>Ethernet addresses as text, six pairs of lower-case hexadecimal digits with colons.</summary>
public static class MacAddress
{
    /// <summary>Reads an address that an interface can have: no group's, and not zero.</summary>
    public static bool TryParse(string text, out string address)
    {
        address = "";
        string[] parts = text.Split(':');
        if (parts.Length != 6)
        {
            return false;
        }

        byte[] bytes = new byte[6];
        for (int index = 0; index < 6; index++)
        {
            if (parts[index].Length is 0 or > 2 || !byte.TryParse(
                parts[index], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[index]))
            {
                return false;
            }
        }

        address = Text(bytes);
        return (bytes[0] & 1) == 0 && bytes.AsSpan().IndexOfAnyExcept((byte)0) >= 0;
    }

    /// <summary>A random address of those that are set aside for Xen's guests, 00:16:3e.</summary>
    public static string Generate()
    {
        // Not a secret, and the cryptographic generator would want OpenSSL, which Domain-0 need not have.
        Span<byte> random = stackalloc byte[3];
        Random.Shared.NextBytes(random);
        return Text([0x00, 0x16, 0x3e, (byte)(random[0] & 0x7f), random[1], random[2]]);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => string.Create(CultureInfo.InvariantCulture,
        $"{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}:{bytes[3]:x2}:{bytes[4]:x2}:{bytes[5]:x2}");
}
