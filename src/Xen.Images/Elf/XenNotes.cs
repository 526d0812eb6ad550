// SPDX-License-Identifier: MIT
namespace Xen.Images;

// Theory. A PV kernel tells the domain builder by ELF notes how it wants to be loaded and entered. The segments' own
// virtual addresses are not used: a segment is mapped at its physical address less PADDR_OFFSET plus VIRT_BASE. The
// notes are the guest's word, so what the builder would otherwise have to believe is checked here against the image:
// where the kernel's map begins and ends, and that entry point and hypercall page lie in it.

/// <summary>What a kernel's Xen notes say, with the interface's defaults for the absent ones.</summary>
public unsafe struct XenNotes
{
    private const ulong PageSize = 4096;
    private const nuint L1PairSize = 16;

    /// <summary>Bit n: a note of type n is there.</summary>
    public uint Present;

    public ulong Entry;
    public ulong HypercallPage;
    public ulong VirtBase;
    public ulong PaddrOffset;
    public NoteText XenVersion;
    public NoteText GuestOs;
    public NoteText GuestVersion;
    public NoteText Loader;
    public NoteText PaeMode;

    /// <summary>What the kernel can make use of, by the text and by the number.</summary>
    public uint SupportedFeatures;

    /// <summary>
    /// What the kernel wants marked with '!'. Linux marks writable_page_tables so, and is content with the emulation
    /// of its page-table writes: that bit is not a reason to refuse it.
    /// </summary>
    public uint RequiredFeatures;

    public bool WantsSymbols;
    public ulong HvStartLow;

    /// <summary>First of the pairs by which a non-present L1 entry is known to hold a frame number.</summary>
    public ulong L1MfnValidMask;
    public ulong L1MfnValidValue;
    public bool CanCancelSuspend;
    public ulong InitP2m;
    public bool TakesModuleAsPfn;
    public ulong Phys32Entry;

    /// <summary>The kernel's map: the image's physical range, as the kernel wants to see it.</summary>
    public ulong VirtualStart;
    public ulong VirtualEnd;

    public readonly bool Has(XenNoteType type) => (uint)type < 32 && (Present & (1u << (int)type)) != 0;

    /// <summary>A kernel that lists its features by number must list this one; an older one is not asked.</summary>
    public readonly bool CanBeDom0 =>
        !Has(XenNoteType.SupportedFeatures) || (SupportedFeatures & (1u << XenFeatures.Dom0)) != 0;

    /// <summary>Where a physical address of the image is in the kernel's map.</summary>
    public readonly ulong VirtualOf(ulong physicalAddress) => physicalAddress - PaddrOffset + VirtBase;

    /// <summary>Reads the notes of the note segments or, if Xen's are not there, of the note sections.</summary>
    public static ImageError Read(in ElfImage image, out XenNotes notes)
    {
        notes = default;
        ImageError error = notes.ReadAll(in image);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (notes.Present == 0)
        {
            return image.FindSection("__xen_guest"u8, out _, out _)
                ? ImageError.NotesLegacy
                : ImageError.NotesMissing;
        }

        return notes.Check(in image);
    }

    private ImageError ReadAll(in ElfImage image)
    {
        int number = 0;
        while (image.NextNotes(ref number, out byte* bytes, out nuint length))
        {
            ImageError error = ReadRun(bytes, length);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        number = 0;
        while (Present == 0 && image.NextNoteSection(ref number, out byte* bytes, out nuint length))
        {
            ImageError error = ReadRun(bytes, length);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        return ImageError.Ok;
    }

    private ImageError ReadRun(byte* bytes, nuint length)
    {
        byte* cursor = bytes;
        ImageError error;
        while (ElfNote.Next(ref cursor, bytes + length, out ElfNote note, out error))
        {
            if (!note.IsXen || note.Type > (uint)XenNoteType.Phys32Entry)
            {
                continue;
            }

            error = Take(in note);
            if (error != ImageError.Ok)
            {
                return error;
            }

            Present |= 1u << (int)note.Type;
        }

        return error;
    }

    private ImageError Take(in ElfNote note)
    {
        switch ((XenNoteType)note.Type)
        {
            case XenNoteType.Entry:
                return Number(in note, out Entry);
            case XenNoteType.HypercallPage:
                return Number(in note, out HypercallPage);
            case XenNoteType.VirtBase:
                return Number(in note, out VirtBase);
            case XenNoteType.PaddrOffset:
                return Number(in note, out PaddrOffset);
            case XenNoteType.XenVersion:
                return Text(in note, out XenVersion);
            case XenNoteType.GuestOs:
                return Text(in note, out GuestOs);
            case XenNoteType.GuestVersion:
                return Text(in note, out GuestVersion);
            case XenNoteType.Loader:
                return Text(in note, out Loader);
            case XenNoteType.PaeMode:
                return Text(in note, out PaeMode);
            case XenNoteType.Features:
                _ = Text(in note, out NoteText features);
                return XenFeatures.Parse(in features, ref SupportedFeatures, ref RequiredFeatures);
            case XenNoteType.BsdSymtab:
                _ = Text(in note, out NoteText symbols);
                WantsSymbols = symbols.Is("yes"u8);
                return ImageError.Ok;
            case XenNoteType.HvStartLow:
                return Number(in note, out HvStartLow);
            case XenNoteType.L1MfnValid:
                return TakeL1MfnValid(in note);
            case XenNoteType.SuspendCancel:
                return Flag(in note, out CanCancelSuspend);
            case XenNoteType.InitP2m:
                return Number(in note, out InitP2m);
            case XenNoteType.ModStartPfn:
                return Flag(in note, out TakesModuleAsPfn);
            case XenNoteType.SupportedFeatures:
                ImageError error = Number(in note, out ulong numbered);
                SupportedFeatures |= (uint)numbered;
                return error;
            case XenNoteType.Phys32Entry:
                return Number(in note, out Phys32Entry);
            default:
                return ImageError.Ok;
        }
    }

    private static ImageError Number(in ElfNote note, out ulong value)
    {
        switch (note.DescriptorSize)
        {
            case 4:
                value = *(uint*)note.Descriptor;
                return ImageError.Ok;
            case 8:
                value = *(ulong*)note.Descriptor;
                return ImageError.Ok;
            default:
                value = 0;
                return ImageError.NoteBadSize;
        }
    }

    private static ImageError Flag(in ElfNote note, out bool value)
    {
        ImageError error = Number(in note, out ulong number);
        value = number != 0;
        return error;
    }

    private static ImageError Text(in ElfNote note, out NoteText text)
    {
        text = NoteText.Of(note.Descriptor, note.DescriptorSize);
        return ImageError.Ok;
    }

    private ImageError TakeL1MfnValid(in ElfNote note)
    {
        if (note.DescriptorSize == 0 || note.DescriptorSize % L1PairSize != 0)
        {
            return ImageError.NoteBadSize;
        }

        L1MfnValidMask = *(ulong*)note.Descriptor;
        L1MfnValidValue = *(ulong*)(note.Descriptor + sizeof(ulong));
        return ImageError.Ok;
    }

    private ImageError Check(in ElfImage image)
    {
        if (Has(XenNoteType.XenVersion) && !XenVersion.StartsWith("xen-3.0"u8))
        {
            return ImageError.NoteWrongXenVersion;
        }

        if (Has(XenNoteType.Loader) && !Loader.Is("generic"u8))
        {
            return ImageError.NoteWrongLoader;
        }

        VirtualStart = VirtualOf(image.PhysicalStart);
        VirtualEnd = VirtualOf(image.PhysicalEnd);
        if (VirtualEnd <= VirtualStart)
        {
            return ImageError.ElfAddressWraps;
        }

        // A kernel with no entry note may mean its ELF entry, if that is an address of its map: Linux's is not.
        if (!Has(XenNoteType.Entry))
        {
            Entry = image.Entry;
            return IsInMap(Entry, 1) ? CheckMap() : ImageError.NoteEntryMissing;
        }

        return IsInMap(Entry, 1) ? CheckMap() : ImageError.NoteEntryOutsideImage;
    }

    private readonly ImageError CheckMap()
    {
        if (Has(XenNoteType.HypercallPage) && (HypercallPage % PageSize != 0 || !IsInMap(HypercallPage, PageSize)))
        {
            return ImageError.NoteHypercallPageOutsideImage;
        }

        return Has(XenNoteType.InitP2m) && (InitP2m % PageSize != 0 || IsInMap(InitP2m, 1))
            ? ImageError.NoteBadInitP2m
            : ImageError.Ok;
    }

    private readonly bool IsInMap(ulong address, ulong size) =>
        address >= VirtualStart && address < VirtualEnd && size <= VirtualEnd - address;
}
