// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Migration;

/// <summary>What the headers of a file say.</summary>
public sealed record SaveFileOpening(SavedConfig Config, int ImageVersion, int XenMajor, int XenMinor);
