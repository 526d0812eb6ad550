// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Dom0.Toolstack.Build.Payload;
using Xen.Images;

namespace Dom0.Toolstack.Build;

/// <summary>Reads a guest's kernel from its file: unpacks it, and reads its segments and notes.</summary>
public static unsafe class KernelLoader
{
    private const long MaximumFile = 256L * 1024 * 1024;
    private const ulong MaximumUnpacked = 512UL * 1024 * 1024;

    /// <summary>Loads the kernel at <paramref name="path"/>.</summary>
    /// <exception cref="ToolstackException">The file cannot be read or is no kernel for Xen PV.</exception>
    public static PvKernel Load(string path, KernelCache cache)
    {
        using FileStream stream = Open("kernel", path);
        FileVersion version = FileVersion.Of(stream);
        if (cache.TryGet(version) is { } cached)
        {
            return Parse(cached, path);
        }

        byte[] file = ReadAll("kernel", path, stream);
        if (!IsPacked(file))
        {
            return Parse(Unpack(file, path), path);
        }

        bool isSettled = version.IsSettled(DateTimeOffset.UtcNow) && FileVersion.Of(stream) == version;
        return Parse(cache.Get(file, isSettled ? version : null, () => Unpack(file, path)), path);
    }

    /// <summary>Loads a kernel whose file was read already; errors call it <paramref name="name"/>.</summary>
    /// <exception cref="ToolstackException">It is no kernel for Xen PV.</exception>
    public static PvKernel Load(byte[] file, string name, KernelCache cache) => Parse(
        IsPacked(file) ? cache.Get(file, null, () => Unpack(file, name)) : Unpack(file, name), name);

    /// <summary>Reads a whole file; <paramref name="key"/> is the configuration's key that names it.</summary>
    public static byte[] ReadFile(string key, string path)
    {
        using FileStream stream = Open(key, path);
        return ReadAll(key, path, stream);
    }

    /// <summary>The ELF file inside a bzImage or a packed file; an ELF file is returned as it is.</summary>
    public static ReadOnlyMemory<byte> Unpack(byte[] file, string path)
    {
        Progress.Report("unpacking the kernel");
        fixed (byte* bytes = file)
        {
            Check(KernelImage.Identify(bytes, (nuint)file.Length, out KernelFile kernel), path, kernel.Format);
            if (kernel.Format == PayloadFormat.Elf)
            {
                return file.AsMemory((int)kernel.PayloadOffset, (int)kernel.PayloadLength);
            }

            if (PayloadDecoder.Knows(kernel.Format))
            {
                return UnpackHere(file, path, kernel);
            }

            byte[] work = GC.AllocateUninitializedArray<byte>((int)KernelImage.WorkSize, pinned: true);
            fixed (byte* workBytes = work)
            {
                Check(KernelImage.Measure(bytes, (nuint)file.Length, workBytes, (nuint)work.Length, out ulong size),
                    path, kernel.Format);
                if (size > MaximumUnpacked)
                {
                    throw new ToolstackException(
                        $"kernel: {path} says that it unpacks to {size >> 20} MiB; up to {MaximumUnpacked >> 20} are "
                            + "loaded",
                        "Check that the file is a kernel");
                }

                byte[] target = GC.AllocateUninitializedArray<byte>((int)size, pinned: true);
                fixed (byte* targetBytes = target)
                {
                    ImageError error = KernelImage.Unpack(bytes, (nuint)file.Length, targetBytes, (nuint)target.Length,
                        workBytes, (nuint)work.Length, out nuint produced);
                    Check(error, path, kernel.Format);
                    return target.AsMemory(0, (int)produced);
                }
            }
        }
    }

    /// <summary>A bzImage has the unpacked size behind what is packed, which the formats themselves do not know of.</summary>
    private static byte[] UnpackHere(byte[] file, string path, KernelFile kernel)
    {
        ReadOnlySpan<byte> payload = file.AsSpan((int)kernel.PayloadOffset, (int)kernel.PayloadLength);
        uint? announced = null;
        if (kernel.IsBzImage && payload.Length > sizeof(uint))
        {
            announced = BinaryPrimitives.ReadUInt32LittleEndian(payload[^sizeof(uint)..]);
            payload = payload[..^sizeof(uint)];
        }

        try
        {
            byte[] unpacked = PayloadDecoder.Decode(kernel.Format, payload, (int)MaximumUnpacked);
            return announced is null || announced == (uint)unpacked.Length
                ? unpacked
                : throw new InvalidDataException(
                    $"it unpacks to {unpacked.Length} bytes and says that it has {announced}");
        }
        catch (InvalidDataException wrong)
        {
            throw new ToolstackException(
                $"kernel: cannot load {path}, packed with {kernel.Format.ToString().ToLowerInvariant()}: {wrong.Message}",
                "Check that the file is whole", wrong);
        }
    }

    /// <summary>Reads the segments and notes of an unpacked kernel.</summary>
    public static PvKernel Parse(ReadOnlyMemory<byte> file, string path)
    {
        fixed (byte* bytes = file.Span)
        {
            Check(ElfImage.Open(bytes, (nuint)file.Length, out ElfImage image), path);
            Check(XenNotes.Read(in image, out XenNotes notes), path);
            List<PvSegment> segments = [];
            for (int index = 0; index < image.SegmentCount; index++)
            {
                ElfSegment segment = image.Segment(index);
                if (segment.Type != ElfSegmentType.Load || segment.MemorySize == 0)
                {
                    continue;
                }

                if (segment.PhysicalAddress < notes.PaddrOffset)
                {
                    throw new ToolstackException($"kernel: {path} has a segment below its own address offset",
                        "Use a kernel for Xen PV guests");
                }

                segments.Add(new PvSegment(segment.PhysicalAddress - notes.PaddrOffset, segment.FileOffset,
                    segment.FileSize, segment.MemorySize));
            }

            return new PvKernel
            {
                File = file,
                Segments = segments,
                VirtualBase = notes.VirtBase,
                Entry = notes.Entry,
                P2mBase = notes.Has(XenNoteType.InitP2m) ? notes.InitP2m : null,
                HypercallPage = notes.Has(XenNoteType.HypercallPage) ? notes.HypercallPage : null,
                TakesUnmappedRamdisk = notes.TakesModuleAsPfn,
                GuestOs = notes.Has(XenNoteType.GuestOs)
                    ? Encoding.UTF8.GetString(notes.GuestOs.Start, (int)notes.GuestOs.Length)
                    : "linux",
            };
        }
    }

    private static bool IsPacked(byte[] file)
    {
        fixed (byte* bytes = file)
        {
            return KernelImage.Identify(bytes, (nuint)file.Length, out KernelFile kernel) == ImageError.Ok
                && kernel.Format != PayloadFormat.Elf;
        }
    }

    private static FileStream Open(string key, string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(key, path, failure);
        }
    }

    private static byte[] ReadAll(string key, string path, FileStream stream)
    {
        try
        {
            if (stream.Length > MaximumFile)
            {
                throw new ToolstackException($"{key}: {path} has {stream.Length >> 20} MiB; up to {MaximumFile >> 20} "
                    + "are loaded");
            }

            byte[] bytes = GC.AllocateUninitializedArray<byte>((int)stream.Length, pinned: true);
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(key, path, failure);
        }
    }

    private static ToolstackException Unreadable(string key, string path, Exception failure) =>
        new($"{key}: cannot read {path}: {Reason(failure)}",
            $"Correct {key} in the configuration; the file is looked for in Domain-0", failure);

    private static string Reason(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => "it does not exist",
        UnauthorizedAccessException => "access is denied, or it is a directory",
        _ => failure.Message,
    };

    private static void Check(ImageError error, string path, PayloadFormat format = PayloadFormat.Unknown)
    {
        if (error == ImageError.Ok)
        {
            return;
        }

        string what = Encoding.ASCII.GetString(ImageErrors.Describe(error));
        throw new ToolstackException($"kernel: cannot load {path}: {what}", error switch
        {
            ImageError.FormatUnsupported =>
                $"It is packed with {format.ToString().ToLowerInvariant()}; unpack it, or pack it with XZ, gzip, zstd, "
                    + "lz4, lzma or bzip2",
            ImageError.NotesMissing or ImageError.NoteEntryMissing =>
                "Use a kernel with CONFIG_XEN_PV, such as Debian's linux-image-amd64",
            _ => null,
        });
    }
}
