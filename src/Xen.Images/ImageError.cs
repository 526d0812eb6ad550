// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// Why a kernel file cannot be unpacked or loaded. <see cref="ImageErrors.Describe"/> says each in one clause.
/// </summary>
public enum ImageError
{
    Ok = 0,

    // Any decoder.
    Truncated,
    OutputTooSmall,
    WorkTooSmall,
    SizeUnknown,

    // Kernel files.
    FormatUnknown,
    FormatUnsupported,
    BootProtocolTooOld,
    PayloadOutOfRange,
    PayloadTrailingData,
    PayloadSizeMismatch,

    // XZ.
    XzBadMagic,
    XzBadStreamFlags,
    XzHeaderChecksum,
    XzUnsupportedCheck,
    XzBadBlockHeader,
    XzUnsupportedFilter,
    XzBadNumber,
    XzBadChunk,
    XzCorruptData,
    XzDistanceTooFar,
    XzSizeMismatch,
    XzBadPadding,
    XzCheckMismatch,
    XzBadIndex,
    XzBadFooter,

    // Gzip and deflate.
    GzipBadHeader,
    GzipHeaderChecksum,
    GzipCheckMismatch,
    GzipSizeMismatch,
    DeflateBadBlock,
    DeflateBadCode,
    DeflateCorruptData,
    DeflateDistanceTooFar,

    // Zstd.
    ZstdBadMagic,
    ZstdBadFrameHeader,
    ZstdNeedsDictionary,
    ZstdBadBlock,
    ZstdBadLiterals,
    ZstdBadHuffmanTable,
    ZstdBadSequences,
    ZstdOffsetTooFar,
    ZstdSizeMismatch,
    ZstdCheckMismatch,

    // ELF.
    ElfBadMagic,
    ElfNot64Bit,
    ElfNotLittleEndian,
    ElfWrongMachine,
    ElfNotExecutable,
    ElfBadHeader,
    ElfNoSegments,
    ElfTableOutOfFile,
    ElfSegmentOutOfFile,
    ElfSegmentTooSmall,
    ElfAddressWraps,

    // Xen's ELF notes.
    NotesMissing,
    NotesLegacy,
    NotesBroken,
    NoteBadSize,
    NoteEntryMissing,
    NoteEntryOutsideImage,
    NoteHypercallPageOutsideImage,
    NoteBadInitP2m,
    NoteWrongXenVersion,
    NoteWrongLoader,
    NoteUnknownRequiredFeature,
}
