// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The codes of a deflate block.</summary>
internal enum DeflateCode
{
    Precode,
    LiteralOrLength,
    Distance,
}
