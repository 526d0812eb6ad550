// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// A view of an x86-64 ELF kernel in memory. After <see cref="Open"/> has succeeded every program header is sound, so
/// that a loader only has to ask whether the memory it has is large enough.
/// </summary>
/// <remarks>
/// A loader goes by physical addresses: Linux's per-CPU segment has the virtual address 0. Segments may overlap and
/// come in any order.
/// </remarks>
public unsafe struct ElfImage
{
    private const uint Magic = 0x464C457F;
    private const byte Class64 = 2;
    private const byte DataLittleEndian = 1;
    private const byte CurrentVersion = 1;
    private const ushort TypeExecutable = 2;
    private const ushort MachineX64 = 62;
    private const nuint HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const uint SectionTypeNote = 7;
    private const uint SectionTypeNoBits = 8;
    private const ushort CountElsewhere = 0xFFFF;

    private byte* _bytes;
    private nuint _length;
    private nuint _segmentTable;
    private int _segmentCount;
    private nuint _sectionTable;
    private int _sectionCount;
    private int _sectionNames;

    /// <summary>The header's entry point. Of a Linux kernel this is not where Xen enters it.</summary>
    public ulong Entry;

    /// <summary>The lowest physical address of any loadable segment.</summary>
    public ulong PhysicalStart;

    /// <summary>The address after the highest of any loadable segment.</summary>
    public ulong PhysicalEnd;

    /// <summary>The whole file.</summary>
    public readonly byte* Bytes => _bytes;

    public readonly nuint Length => _length;

    public readonly int SegmentCount => _segmentCount;

    public static bool HasMagic(byte* bytes, nuint length) => length >= sizeof(uint) && *(uint*)bytes == Magic;

    /// <summary>Checks the whole structure of a file that must stay where it is while the view is used.</summary>
    public static ImageError Open(byte* bytes, nuint length, out ElfImage image)
    {
        image = default;
        ImageError error = CheckHeader(bytes, length);
        if (error != ImageError.Ok)
        {
            return error;
        }

        image._bytes = bytes;
        image._length = length;
        image.Entry = *(ulong*)(bytes + 24);
        image._segmentTable = (nuint)(*(ulong*)(bytes + 32));
        image._segmentCount = *(ushort*)(bytes + 56);
        image.OpenSections();
        return image.CheckSegments();
    }

    /// <summary>A program header of any type, by number below <see cref="SegmentCount"/>.</summary>
    public readonly ElfSegment Segment(int number) =>
        *(ElfSegment*)(_bytes + _segmentTable + ((nuint)(uint)number * ElfSegment.Size));

    /// <summary>The bytes of a segment in the file, <see cref="ElfSegment.FileSize"/> of them.</summary>
    public readonly byte* Data(in ElfSegment segment) => _bytes + (nuint)segment.FileOffset;

    /// <summary>
    /// Finds the next segment to load from program header <paramref name="number"/> on, and moves the number past it.
    /// False after the last. Empty segments are left out.
    /// </summary>
    public readonly bool NextLoad(ref int number, out ElfSegment segment)
    {
        while (number < _segmentCount)
        {
            segment = Segment(number++);
            if (IsLoad(in segment))
            {
                return true;
            }
        }

        segment = default;
        return false;
    }

    /// <summary>Finds the next note segment, as <see cref="NextLoad"/> does.</summary>
    internal readonly bool NextNotes(ref int number, out byte* notes, out nuint length)
    {
        while (number < _segmentCount)
        {
            ElfSegment segment = Segment(number++);
            if (segment.Type == ElfSegmentType.Note)
            {
                notes = Data(in segment);
                length = (nuint)segment.FileSize;
                return true;
            }
        }

        notes = null;
        length = 0;
        return false;
    }

    /// <summary>Finds the next note section; sections that lie outside the file do not count.</summary>
    internal readonly bool NextNoteSection(ref int number, out byte* notes, out nuint length)
    {
        while (number < _sectionCount)
        {
            byte* header = Section(number++);
            if (SectionType(header) == SectionTypeNote && SectionBytes(header, out notes, out length))
            {
                return true;
            }
        }

        notes = null;
        length = 0;
        return false;
    }

    /// <summary>Finds a section by name; false also if the section tables are damaged.</summary>
    internal readonly bool FindSection(System.ReadOnlySpan<byte> name, out byte* bytes, out nuint length)
    {
        bytes = null;
        length = 0;
        if (_sectionNames >= _sectionCount || !SectionBytes(Section(_sectionNames), out byte* names, out nuint size))
        {
            return false;
        }

        for (int number = 0; number < _sectionCount; number++)
        {
            byte* header = Section(number);
            if (IsName(names, size, *(uint*)header, name) && SectionBytes(header, out bytes, out length))
            {
                return true;
            }
        }

        return false;
    }

    private static ImageError CheckHeader(byte* bytes, nuint length)
    {
        if (!HasMagic(bytes, length))
        {
            return ImageError.ElfBadMagic;
        }

        if (length < HeaderSize)
        {
            return ImageError.Truncated;
        }

        if (bytes[4] != Class64)
        {
            return ImageError.ElfNot64Bit;
        }

        if (bytes[5] != DataLittleEndian)
        {
            return ImageError.ElfNotLittleEndian;
        }

        if (*(ushort*)(bytes + 18) != MachineX64)
        {
            return ImageError.ElfWrongMachine;
        }

        if (*(ushort*)(bytes + 16) != TypeExecutable)
        {
            return ImageError.ElfNotExecutable;
        }

        ushort count = *(ushort*)(bytes + 56);
        if (bytes[6] != CurrentVersion
            || *(uint*)(bytes + 20) != CurrentVersion
            || *(ushort*)(bytes + 54) != ElfSegment.Size
            || count == CountElsewhere)
        {
            return ImageError.ElfBadHeader;
        }

        if (count == 0)
        {
            return ImageError.ElfNoSegments;
        }

        return IsInside(*(ulong*)(bytes + 32), (ulong)count * ElfSegment.Size, length)
            ? ImageError.Ok
            : ImageError.ElfTableOutOfFile;
    }

    private static bool IsInside(ulong offset, ulong size, nuint length) => offset <= length && size <= length - offset;

    private static bool IsLoad(in ElfSegment segment) =>
        segment.Type == ElfSegmentType.Load && segment.MemorySize != 0;

    private static bool IsName(byte* names, nuint size, uint offset, System.ReadOnlySpan<byte> name)
    {
        if (offset >= size || (nuint)name.Length >= size - offset)
        {
            return false;
        }

        byte* candidate = names + offset;
        for (int index = 0; index < name.Length; index++)
        {
            if (candidate[index] != name[index])
            {
                return false;
            }
        }

        return candidate[name.Length] == 0;
    }

    private static uint SectionType(byte* header) => *(uint*)(header + 4);

    /// <summary>
    /// A loader does not need sections, so a damaged table is no error: it is taken as empty.
    /// </summary>
    private void OpenSections()
    {
        ulong offset = *(ulong*)(_bytes + 40);
        int count = *(ushort*)(_bytes + 60);
        if (*(ushort*)(_bytes + 58) == SectionHeaderSize
            && offset != 0
            && IsInside(offset, (ulong)count * SectionHeaderSize, _length))
        {
            _sectionTable = (nuint)offset;
            _sectionCount = count;
            _sectionNames = *(ushort*)(_bytes + 62);
        }
    }

    private ImageError CheckSegments()
    {
        PhysicalStart = ulong.MaxValue;
        for (int number = 0; number < _segmentCount; number++)
        {
            ElfSegment segment = Segment(number);
            bool isLoad = segment.Type == ElfSegmentType.Load;
            if (!isLoad && segment.Type != ElfSegmentType.Note)
            {
                continue;
            }

            if (!IsInside(segment.FileOffset, segment.FileSize, _length))
            {
                return ImageError.ElfSegmentOutOfFile;
            }

            if (!isLoad)
            {
                continue;
            }

            if (segment.MemorySize < segment.FileSize)
            {
                return ImageError.ElfSegmentTooSmall;
            }

            ulong end = segment.PhysicalAddress + segment.MemorySize;
            if (end < segment.PhysicalAddress)
            {
                return ImageError.ElfAddressWraps;
            }

            if (segment.MemorySize == 0)
            {
                continue;
            }

            PhysicalStart = segment.PhysicalAddress < PhysicalStart ? segment.PhysicalAddress : PhysicalStart;
            PhysicalEnd = end > PhysicalEnd ? end : PhysicalEnd;
        }

        return PhysicalEnd == 0 ? ImageError.ElfNoSegments : ImageError.Ok;
    }

    private readonly byte* Section(int number) =>
        _bytes + _sectionTable + ((nuint)(uint)number * SectionHeaderSize);

    private readonly bool SectionBytes(byte* header, out byte* bytes, out nuint length)
    {
        ulong offset = *(ulong*)(header + 24);
        ulong size = *(ulong*)(header + 32);
        bool isInside = SectionType(header) != SectionTypeNoBits && IsInside(offset, size, _length);
        bytes = isInside ? _bytes + (nuint)offset : null;
        length = isInside ? (nuint)size : 0;
        return isInside;
    }
}
