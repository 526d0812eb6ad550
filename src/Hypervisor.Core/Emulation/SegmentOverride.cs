// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>The segment overrides that 64-bit mode honours; those of CS, DS, ES and SS are ignored there.</summary>
public enum SegmentOverride : byte
{
    None,
    Fs,
    Gs,
}
