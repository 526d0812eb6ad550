// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>One ELF note: a name, a type within the name's space, and a descriptor.</summary>
internal unsafe struct ElfNote
{
    private const nuint HeaderSize = 12;

    public byte* Name;
    public nuint NameSize;
    public uint Type;
    public byte* Descriptor;
    public nuint DescriptorSize;

    /// <summary>
    /// Reads the note at <paramref name="cursor"/> and moves past it; false at the end of the notes.
    /// Fewer bytes than a note's header are padding.
    /// </summary>
    public static bool Next(ref byte* cursor, byte* end, out ElfNote note, out ImageError error)
    {
        note = default;
        error = ImageError.Ok;
        nuint available = (nuint)(end - cursor);
        if (available < HeaderSize)
        {
            return false;
        }

        // Names and descriptors are padded to words; the last one's padding may be missing.
        ulong nameSize = *(uint*)cursor;
        ulong descriptorSize = *(uint*)(cursor + 4);
        ulong descriptorOffset = HeaderSize + ((nameSize + 3) & ~3ul);
        if (descriptorOffset > available || descriptorSize > available - descriptorOffset)
        {
            error = ImageError.NotesBroken;
            return false;
        }

        note.Type = *(uint*)(cursor + 8);
        note.Name = cursor + HeaderSize;
        note.NameSize = (nuint)nameSize;
        note.Descriptor = cursor + descriptorOffset;
        note.DescriptorSize = (nuint)descriptorSize;
        ulong size = descriptorOffset + ((descriptorSize + 3) & ~3ul);
        cursor += size > available ? available : (nuint)size;
        return true;
    }

    /// <summary>True for notes of Xen's own name space.</summary>
    public readonly bool IsXen =>
        NameSize == 4 && Name[0] == (byte)'X' && Name[1] == (byte)'e' && Name[2] == (byte)'n' && Name[3] == 0;
}
