// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Migration;
using Xen.Abi;

namespace Dom0.Toolstack.Tests.Migration;

/// <summary>One record of a file under construction.</summary>
internal sealed record FileRecord(RecordType Type, byte[] Body);

/// <summary>
/// A domain of a few frames, as records that tests can change before a file is made of them: frame 0 is the start-up
/// page, 1 and 2 are the rings, 3 the list of machine frames, 4 to 7 page tables of level 4 to 1, 8 to 15 ordinary.
/// </summary>
internal static unsafe class SavedFiles
{
    public const int Frames = 16;
    public const ulong TopTable = 4;

    public static DomainConfig Config => new()
    {
        Name = "guest",
        Uuid = Guid.Parse("06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"),
        Kernel = "/boot/k",
        CommandLine = "console=hvc0",
        MemoryKib = 1024,
        MaximumMemoryKib = 2048,
        MaximumVcpus = 2,
        OnlineVcpus = [true, true],
        Affinity = [CpuSet.All, CpuSet.Parse("1")],
        Weight = 512,
        OnReboot = LifecycleAction.Restart,
    };

    public static List<FileRecord> Records() =>
    [
        new(RecordType.X86PvInfo, [8, 4, 0, 0, 0, 0, 0, 0]),
        new(RecordType.X86CpuidPolicy, new byte[48]),
        new(RecordType.X86MsrPolicy, new byte[16]),
        new(RecordType.StaticDataEnd, []),
        new(RecordType.X86PvP2mFrames, Words([((ulong)(Frames - 1) << 32), 3])),
        new(RecordType.PageData, Pages(0, 8)),
        new(RecordType.PageData, Pages(8, Frames - 8)),
        new(RecordType.X86TscInfo, Words([2_000_000UL << 32, 77, 1])),
        new(RecordType.SharedInfo, new byte[4096]),
        .. Vcpu(0),
        .. Vcpu(1),
    ];

    /// <summary>The file of our own kind, with checksums.</summary>
    public static byte[] Write(IEnumerable<FileRecord> records, DomainConfig? config = null)
    {
        using MemoryStream stream = new();
        SaveFileWriter writer = new(stream);
        writer.WriteOpening(SavedConfig.Write(config ?? Config, "linux"), 4, 17);
        foreach (FileRecord record in records)
        {
            writer.Write(record.Type, record.Body);
        }

        writer.Finish();
        return stream.ToArray();
    }

    /// <summary>The same as xl would write it: libxl's configuration alone, and no checksums.</summary>
    public static byte[] WriteForeign(IEnumerable<FileRecord> records, string? json = null, uint version = 3)
    {
        json ??= """
            {"c_info": {"type": "pv", "name": "guest", "uuid": "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"},
             "b_info": {"max_vcpus": 2, "avail_vcpus": [0, 1], "max_memkb": 2048, "target_memkb": 1024,
                        "kernel": "/boot/k", "sched_params": {"weight": 256}, "type.pv": {}},
             "on_reboot": "restart"}
            """;
        List<byte> file = [];
        file.AddRange("Xen saved domain, xl format\n \0 \r"u8);
        Put32(file, 0x01020304, 3, 0, (uint)json.Length + 5, (uint)json.Length + 1);
        file.AddRange(System.Text.Encoding.ASCII.GetBytes(json + "\0LibxlFmt"));
        file.AddRange([0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        file.AddRange([255, 255, 255, 255, 255, 255, 255, 255]);
        file.AddRange("XENF"u8);
        file.AddRange([0, 0, 0, (byte)version, 0, 0, 0, 0, 0, 0, 0, 0]);
        Put32(file, 1, 12, 4, 17);
        foreach (FileRecord record in records)
        {
            Put32(file, (uint)record.Type, (uint)record.Body.Length);
            file.AddRange(record.Body);
            file.AddRange(new byte[-record.Body.Length & 7]);
        }

        file.AddRange(new byte[16]);
        return [.. file];
    }

    public static SavedDomain Check(byte[] file) => SavedDomainChecker.Check(new MemoryStream(file), "file");

    public static byte[] Words(ReadOnlySpan<ulong> words) => MemoryMarshal.AsBytes(words).ToArray();

    public static ulong Entry(ulong frame) => (frame << 12) | 0x67;

    private static void Put32(List<byte> file, params ReadOnlySpan<uint> words)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (uint word in words)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, word);
            file.AddRange(bytes);
        }
    }

    private static byte[] Pages(int first, int count)
    {
        ulong[] frames = new ulong[count];
        byte[] pages = new byte[count * 4096];
        for (int index = 0; index < count; index++)
        {
            ulong frame = (ulong)(first + index);
            int level = frame is >= 4 and <= 7 ? 8 - (int)frame : 0;
            ulong kind = level == 0 ? 0UL : level == 4 ? 0xc : (ulong)level;
            frames[index] = frame | (kind << 60);
            Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(pages.AsSpan(index * 4096, 4096));
            if (level > 1)
            {
                words[1] = Entry(frame + 1);
            }
            else if (level == 1)
            {
                words[5] = Entry(9);
                words[6] = Entry(7) & ~2UL;
            }
            else
            {
                words.Fill(frame * 0x0101);
            }

            if (frame == 0)
            {
                StartInfo info = new() { NrPages = Frames, StoreMfn = 1, ConsoleDomUMfn = 2 };
                MemoryMarshal.Write(pages, in info);
            }
        }

        return [.. Words([(ulong)count]), .. Words(frames), .. pages];
    }

    private static IEnumerable<FileRecord> Vcpu(int vcpu)
    {
        VcpuGuestContext context = default;
        context.Flags = VgcfFlags.InKernel | VgcfFlags.Online;
        context.CtrlReg[3] = TopTable << 12;
        context.CtrlReg[1] = (TopTable << 12) | 1;
        context.GdtFrames[0] = 10;
        context.GdtEnts = 512;
        context.UserRegs.Rdx = 0;
        byte[] registers = MemoryMarshal.AsBytes(new ReadOnlySpan<VcpuGuestContext>(in context)).ToArray();
        byte[] header = Words([(ulong)vcpu]);
        return
        [
            new(RecordType.X86PvVcpuBasic, [.. header, .. registers]),
            new(RecordType.X86PvVcpuExtended, [.. header, .. new byte[64]]),
            new(RecordType.X86PvVcpuXsave, [.. header, .. new byte[64]]),
            new(RecordType.X86PvVcpuMsrs, [.. header, .. new byte[32]]),
        ];
    }
}
