// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The words for each <see cref="ImageError"/>.</summary>
public static class ImageErrors
{
    /// <summary>One clause in ASCII, to stand after "cannot load the kernel: ".</summary>
    public static System.ReadOnlySpan<byte> Describe(ImageError error) => error switch
    {
        ImageError.Ok => "no error"u8,
        ImageError.Truncated => "the file ends too early"u8,
        ImageError.OutputTooSmall => "it unpacks to more than there is room for"u8,
        ImageError.WorkTooSmall => "too little work memory was given to the decoder"u8,
        ImageError.SizeUnknown => "the file does not say how large it is when unpacked"u8,

        ImageError.FormatUnknown => "it is neither an ELF file nor a Linux bzImage, nor packed in a known format"u8,
        ImageError.FormatUnsupported => "its compression format is not supported here"u8,
        ImageError.BootProtocolTooOld => "its Linux boot protocol is older than 2.08"u8,
        ImageError.PayloadOutOfRange => "its packed kernel reaches beyond the end of the file; the file may be cut off"u8,
        ImageError.PayloadTrailingData => "unexpected data follows the packed kernel"u8,
        ImageError.PayloadSizeMismatch => "it unpacks to another size than it says"u8,

        ImageError.XzBadMagic => "the XZ signature is missing"u8,
        ImageError.XzBadStreamFlags => "the XZ stream header has unknown flags"u8,
        ImageError.XzHeaderChecksum => "an XZ header does not match its checksum"u8,
        ImageError.XzUnsupportedCheck => "the XZ integrity check is of an unknown kind"u8,
        ImageError.XzBadBlockHeader => "an XZ block header is malformed"u8,
        ImageError.XzUnsupportedFilter => "an XZ filter other than LZMA2 and x86 is used"u8,
        ImageError.XzBadNumber => "an XZ integer is malformed"u8,
        ImageError.XzBadChunk => "an LZMA2 chunk header is malformed"u8,
        ImageError.XzCorruptData => "the LZMA2 data is corrupt"u8,
        ImageError.XzDistanceTooFar => "the LZMA2 data refers to bytes before its beginning"u8,
        ImageError.XzSizeMismatch => "an XZ block has another size than its header says"u8,
        ImageError.XzBadPadding => "XZ padding is not zero"u8,
        ImageError.XzCheckMismatch => "the unpacked data does not match the XZ integrity check"u8,
        ImageError.XzBadIndex => "the XZ index does not match the blocks"u8,
        ImageError.XzBadFooter => "the XZ stream footer is malformed"u8,

        ImageError.GzipBadHeader => "the gzip header is malformed"u8,
        ImageError.GzipHeaderChecksum => "the gzip header does not match its checksum"u8,
        ImageError.GzipCheckMismatch => "the unpacked data does not match the gzip checksum"u8,
        ImageError.GzipSizeMismatch => "the unpacked data has another size than the gzip trailer says"u8,
        ImageError.DeflateBadBlock => "a deflate block header is malformed"u8,
        ImageError.DeflateBadCode => "a deflate block describes an impossible code"u8,
        ImageError.DeflateCorruptData => "the deflate data is corrupt"u8,
        ImageError.DeflateDistanceTooFar => "the deflate data refers to bytes before its beginning"u8,

        ImageError.ZstdBadMagic => "the zstd signature is missing"u8,
        ImageError.ZstdBadFrameHeader => "a zstd frame header is malformed"u8,
        ImageError.ZstdNeedsDictionary => "the zstd data needs a dictionary"u8,
        ImageError.ZstdBadBlock => "a zstd block is malformed"u8,
        ImageError.ZstdBadLiterals => "the literals of a zstd block are corrupt"u8,
        ImageError.ZstdBadHuffmanTable => "a zstd block describes an impossible Huffman code"u8,
        ImageError.ZstdBadSequences => "the sequences of a zstd block are corrupt"u8,
        ImageError.ZstdOffsetTooFar => "the zstd data refers to bytes before its beginning"u8,
        ImageError.ZstdSizeMismatch => "a zstd frame unpacks to another size than it says"u8,
        ImageError.ZstdCheckMismatch => "the unpacked data does not match the zstd checksum"u8,

        ImageError.ElfBadMagic => "it is not an ELF file"u8,
        ImageError.ElfNot64Bit => "it is a 32-bit kernel"u8,
        ImageError.ElfNotLittleEndian => "it is a big-endian ELF file"u8,
        ImageError.ElfWrongMachine => "it is not for x86-64"u8,
        ImageError.ElfNotExecutable => "it is an ELF file, but not an executable one"u8,
        ImageError.ElfBadHeader => "its ELF header is malformed"u8,
        ImageError.ElfNoSegments => "it has no ELF segment to load"u8,
        ImageError.ElfTableOutOfFile => "its ELF program headers lie outside the file"u8,
        ImageError.ElfSegmentOutOfFile => "an ELF segment lies outside the file"u8,
        ImageError.ElfSegmentTooSmall => "an ELF segment is larger in the file than in memory"u8,
        ImageError.ElfAddressWraps => "an ELF segment reaches beyond the end of the address space"u8,

        ImageError.NotesMissing => "it has no Xen ELF notes: it is not a kernel for Xen PV"u8,
        ImageError.NotesLegacy => "it describes itself by the legacy __xen_guest string instead of ELF notes"u8,
        ImageError.NotesBroken => "its ELF notes are malformed"u8,
        ImageError.NoteBadSize => "a Xen ELF note has the wrong size"u8,
        ImageError.NoteEntryMissing => "it has no Xen entry point: it is not a kernel for Xen PV"u8,
        ImageError.NoteEntryOutsideImage => "its Xen entry point lies outside the kernel"u8,
        ImageError.NoteHypercallPageOutsideImage => "its hypercall page is misaligned or lies outside the kernel"u8,
        ImageError.NoteBadInitP2m => "its place for the frame list is misaligned or overlaps the kernel"u8,
        ImageError.NoteWrongXenVersion => "it is built for another interface than xen-3.0"u8,
        ImageError.NoteWrongLoader => "it asks for a loader other than the generic one"u8,
        ImageError.NoteUnknownRequiredFeature => "it requires a feature that is not known"u8,

        _ => "unknown error"u8,
    };
}
