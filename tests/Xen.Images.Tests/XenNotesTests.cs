// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Text;
using Xunit;

public unsafe class XenNotesTests
{
    private const ulong Start = ElfBuilder.VirtBase + ElfBuilder.PhysicalBase;

    [Fact]
    public void Absent_notes_have_the_defaults_of_the_interface()
    {
        byte[] image = new ElfBuilder().AddLoad([1], 0x2000, 0x5000)
            .AddNotes(ElfBuilder.Note(XenNoteType.Entry, 0x5123)).Build();
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(1u << (int)XenNoteType.Entry, notes.Present);
        Assert.Equal((0UL, 0UL, 0UL), (notes.VirtBase, notes.PaddrOffset, notes.HypercallPage));
        Assert.Equal((0x5000UL, 0x7000UL), (notes.VirtualStart, notes.VirtualEnd));
        Assert.Equal((0u, 0u), (notes.SupportedFeatures, notes.RequiredFeatures));
        Assert.False(notes.CanCancelSuspend || notes.TakesModuleAsPfn || notes.WantsSymbols);
        Assert.True(notes.CanBeDom0);
    }

    [Fact]
    public void Numbers_may_have_four_or_eight_bytes()
    {
        byte[] entry = ElfBuilder.Note(XenNoteType.Entry, BitConverter.GetBytes(0x5123));
        byte[] image = new ElfBuilder().AddLoad([1], 0x2000, 0x5000).AddNotes(entry).Build();
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(0x5123UL, notes.Entry);

        entry = ElfBuilder.Note(XenNoteType.Entry, [1, 2]);
        Assert.Equal(ImageError.NoteBadSize, Read(ElfBuilder.Kernel(entry), out _));
    }

    [Fact]
    public void Physical_addresses_are_mapped_by_offset_and_base()
    {
        byte[] image = Kernel(
            ElfBuilder.Note(XenNoteType.VirtBase, 0x40000000),
            ElfBuilder.Note(XenNoteType.PaddrOffset, 0x800000),
            ElfBuilder.Note(XenNoteType.Entry, 0x40801000));
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal((0x40800000UL, 0x40803000UL), (notes.VirtualStart, notes.VirtualEnd));
        Assert.Equal(0x40801000UL, notes.VirtualOf(0x1001000));
    }

    [Fact]
    public void Texts_flags_and_pairs_are_read()
    {
        byte[] pair = new byte[16];
        pair[0] = 1;
        pair[8] = 3;
        byte[] image = Kernel(
            ElfBuilder.UsualNotes(),
            ElfBuilder.Note(XenNoteType.GuestVersion, "2.6"),
            ElfBuilder.Note(XenNoteType.PaeMode, Encoding.ASCII.GetBytes("yes")),
            ElfBuilder.Note(XenNoteType.BsdSymtab, "yes"),
            ElfBuilder.Note(XenNoteType.SuspendCancel, 1),
            ElfBuilder.Note(XenNoteType.ModStartPfn, 1),
            ElfBuilder.Note(XenNoteType.HvStartLow, 0xFFFF800000000000),
            ElfBuilder.Note(XenNoteType.InitP2m, 0x8000000000),
            ElfBuilder.Note(XenNoteType.HypercallPage, Start + 0x2000),
            ElfBuilder.Note(XenNoteType.Phys32Entry, BitConverter.GetBytes(0x1000850)),
            ElfBuilder.Note(XenNoteType.L1MfnValid, pair));
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(("linux", "2.6", "yes"), (Text(notes.GuestOs), Text(notes.GuestVersion), Text(notes.PaeMode)));
        Assert.True(notes.WantsSymbols && notes.CanCancelSuspend && notes.TakesModuleAsPfn);
        Assert.Equal((0xFFFF800000000000UL, 0x8000000000UL), (notes.HvStartLow, notes.InitP2m));
        Assert.Equal((1UL, 3UL), (notes.L1MfnValidMask, notes.L1MfnValidValue));
        Assert.Equal((Start + 0x2000, 0x1000850UL), (notes.HypercallPage, notes.Phys32Entry));
    }

    [Theory]
    [InlineData("", 0u, 0u)]
    [InlineData("!writable_page_tables|pae_pgdir_above_4gb", 0x11u, 0x1u)]
    [InlineData("dom0|!supervisor_mode_kernel|no_such_thing", 0x808u, 0x8u)]
    [InlineData("|writable_page|writable_page_tables_too|", 0u, 0u)]
    public void Feature_texts_become_bits(string text, uint supported, uint required)
    {
        byte[] image = Kernel(ElfBuilder.UsualNotes(), ElfBuilder.Note(XenNoteType.Features, text));
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal((supported, required), (notes.SupportedFeatures, notes.RequiredFeatures));
    }

    [Theory]
    [InlineData("!no_such_thing")]
    [InlineData("dom0|!")]
    public void An_unknown_required_feature_is_refused(string text)
    {
        byte[] image = Kernel(ElfBuilder.UsualNotes(), ElfBuilder.Note(XenNoteType.Features, text));
        Assert.Equal(ImageError.NoteUnknownRequiredFeature, Read(image, out _));
    }

    [Theory]
    [InlineData(0x8801, true)]
    [InlineData(0x8001, false)]
    public void A_kernel_that_numbers_its_features_must_number_dom0(ulong numbered, bool canBeDom0)
    {
        byte[] image = Kernel(ElfBuilder.UsualNotes(), ElfBuilder.Note(XenNoteType.SupportedFeatures, numbered));
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(canBeDom0, notes.CanBeDom0);
    }

    [Fact]
    public void Notes_of_others_and_of_unknown_types_are_passed_over()
    {
        byte[] image = Kernel(
            ElfBuilder.Note(XenNoteType.Entry, [1, 2, 3], "GNU"),
            ElfBuilder.Note(XenNoteType.Entry, [1, 2, 3], "XenX"),
            ElfBuilder.Note((XenNoteType)77, [1, 2, 3]),
            ElfBuilder.UsualNotes(),
            [0, 0, 0, 0]);
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(Start, notes.Entry);
    }

    [Fact]
    public void Notes_are_found_in_sections_if_no_segment_has_them()
    {
        byte[] image = new ElfBuilder().AddLoad(new byte[8], 0x3000)
            .AddNotes(ElfBuilder.Note(XenNoteType.Entry, [1], "GNU"))
            .AddSection(".note.Xen", 7, ElfBuilder.UsualNotes()).Build();
        Assert.Equal(ImageError.Ok, Read(image, out XenNotes notes));
        Assert.Equal(Start, notes.Entry);
    }

    [Fact]
    public void A_kernel_without_notes_is_refused_and_a_legacy_one_by_name()
    {
        byte[] image = new ElfBuilder().AddLoad(new byte[8], 0x3000).Build();
        Assert.Equal(ImageError.NotesMissing, Read(image, out _));

        image = new ElfBuilder().AddLoad(new byte[8], 0x3000)
            .AddSection("__xen_guest", 1, Encoding.ASCII.GetBytes("GUEST_OS=x,XEN_VER=xen-3.0\0")).Build();
        Assert.Equal(ImageError.NotesLegacy, Read(image, out _));
    }

    [Fact]
    public void Without_an_entry_note_the_header_must_name_an_address_of_the_map()
    {
        byte[] notes = [.. ElfBuilder.Note(XenNoteType.VirtBase, ElfBuilder.VirtBase)];
        Assert.Equal(ImageError.NoteEntryMissing, Read(ElfBuilder.Kernel(notes), out _));
        Assert.Equal(ImageError.Ok, Read(ElfBuilder.Kernel(notes, Start + 8), out XenNotes read));
        Assert.Equal(Start + 8, read.Entry);
    }

    [Theory]
    [InlineData(Start - 1, ImageError.NoteEntryOutsideImage)]
    [InlineData(Start, ImageError.Ok)]
    [InlineData(Start + 0x2FFF, ImageError.Ok)]
    [InlineData(Start + 0x3000, ImageError.NoteEntryOutsideImage)]
    public void The_entry_must_lie_in_the_map(ulong entry, ImageError expected) =>
        Assert.Equal(expected, Read(ElfBuilder.Kernel(ElfBuilder.UsualNotes(entry)), out _));

    [Theory]
    [InlineData(XenNoteType.HypercallPage, Start + 0x2001, ImageError.NoteHypercallPageOutsideImage)]
    [InlineData(XenNoteType.HypercallPage, Start + 0x3000, ImageError.NoteHypercallPageOutsideImage)]
    [InlineData(XenNoteType.HypercallPage, 0ul, ImageError.NoteHypercallPageOutsideImage)]
    [InlineData(XenNoteType.InitP2m, Start + 0x1000, ImageError.NoteBadInitP2m)]
    [InlineData(XenNoteType.InitP2m, 0x8000000001, ImageError.NoteBadInitP2m)]
    [InlineData(XenNoteType.PaddrOffset, 0xFFFFFFFF81002000, ImageError.ElfAddressWraps)]
    public void An_address_out_of_place_is_refused(XenNoteType type, ulong value, ImageError expected) =>
        Assert.Equal(expected, Read(Kernel(ElfBuilder.UsualNotes(), ElfBuilder.Note(type, value)), out _));

    [Theory]
    [InlineData(XenNoteType.XenVersion, "xen-2.0", ImageError.NoteWrongXenVersion)]
    [InlineData(XenNoteType.XenVersion, "xen-3.0-x86_64", ImageError.Ok)]
    [InlineData(XenNoteType.Loader, "special", ImageError.NoteWrongLoader)]
    public void Version_and_loader_must_be_ours(XenNoteType type, string text, ImageError expected) =>
        Assert.Equal(expected, Read(Kernel(ElfBuilder.UsualNotes(), ElfBuilder.Note(type, text)), out _));

    [Fact]
    public void A_note_that_leaves_its_segment_is_refused()
    {
        byte[] notes = ElfBuilder.UsualNotes();
        for (int length = 1; length < 12; length++)
        {
            byte[] cut = notes[..^length];
            ImageError expected = Read(ElfBuilder.Kernel(cut), out _);
            Assert.True(expected == ImageError.NotesBroken, $"{length} bytes short: {expected}");
        }
    }

    private static byte[] Kernel(params byte[][] notes)
    {
        byte[] all = [];
        foreach (byte[] note in notes)
        {
            all = [.. all, .. note];
        }

        return ElfBuilder.Kernel(all);
    }

    private static string Text(NoteText text) => Encoding.ASCII.GetString(text.Start, (int)text.Length);

    private static ImageError Read(byte[] image, out XenNotes notes)
    {
        // The notes point into the image: it stays mapped until the process ends.
        GuardedBuffer file = new(image);
        Assert.Equal(ImageError.Ok, ElfImage.Open(file.Start, file.Size, out ElfImage elf));
        return XenNotes.Read(in elf, out notes);
    }
}
