// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The program header types that a loader acts on (System V ABI, <c>PT_…</c>).</summary>
public enum ElfSegmentType : uint
{
    Load = 1,
    Note = 4,
}
