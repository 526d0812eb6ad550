// SPDX-License-Identifier: MIT

namespace ImageCheck.Elf;

/// <summary>A place in section <see cref="Section"/> that the linker fills with the address of <see cref="Target"/>.</summary>
public sealed record ElfRelocation(int Section, ulong Offset, ElfSymbol Target);
