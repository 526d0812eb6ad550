// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Xt.Host;

/// <summary>
/// Names things by what they are made of, so that what did not change is never made twice. Files count by path, length
/// and time of change: hashing the hundred megabytes of Debian's packages on every start would be felt.
/// </summary>
public sealed class ContentKey : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public ContentKey Add(string text)
    {
        _hash.AppendData(Encoding.UTF8.GetBytes(text));
        _hash.AppendData([0]);
        return this;
    }

    public ContentKey Add(ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length.ToString(CultureInfo.InvariantCulture));
        _hash.AppendData(bytes);
        return this;
    }

    public ContentKey AddFile(string path)
    {
        FileInfo file = new(path);
        return Add($"{path}|{file.Length}|{file.LastWriteTimeUtc.Ticks}");
    }

    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset())[..16];

    public void Dispose() => _hash.Dispose();
}
