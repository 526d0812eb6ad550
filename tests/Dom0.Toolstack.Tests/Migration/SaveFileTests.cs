// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Migration;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Migration;

public sealed class SaveFileTests
{
    private static SaveFileException Refused(byte[] file) =>
        Assert.Throws<SaveFileException>(() => SavedFiles.Check(file));

    private static SaveFileException Refused(Action<List<FileRecord>> change, DomainConfig? config = null)
    {
        List<FileRecord> records = SavedFiles.Records();
        change(records);
        return Refused(SavedFiles.Write(records, config));
    }

    private static void Change(List<FileRecord> records, RecordType type, Action<byte[]> change, int nth = 0)
    {
        int index = Enumerable.Range(0, records.Count).Where(at => records[at].Type == type).ElementAt(nth);
        byte[] body = [.. records[index].Body];
        change(body);
        records[index] = records[index] with { Body = body };
    }

    private static void Resize(List<FileRecord> records, RecordType type, int size)
    {
        int index = records.FindIndex(record => record.Type == type);
        byte[] body = [.. records[index].Body];
        Array.Resize(ref body, size);
        records[index] = records[index] with { Body = body };
    }

    [Fact]
    public void What_was_written_is_read()
    {
        SavedDomain domain = SavedFiles.Check(SavedFiles.Write(SavedFiles.Records()));
        DomainConfig config = domain.Opening.Config.Config;
        Assert.Equal(SavedFiles.Config.Name, config.Name);
        Assert.Equal(SavedFiles.Config.Uuid, config.Uuid);
        Assert.Equal(SavedFiles.Config.OnlineVcpus, config.OnlineVcpus);
        Assert.Equal(SavedFiles.Config.Affinity, config.Affinity);
        Assert.Equal(SavedFiles.Config.OnReboot, config.OnReboot);
        Assert.Equal(512, config.Weight);
        Assert.True(domain.Opening.Config.IsOurs);
        Assert.Equal((3, 4, 17), (domain.Opening.ImageVersion, domain.Opening.XenMajor, domain.Opening.XenMinor));
        Assert.Equal((SavedFiles.Frames, 4), (domain.Pages, domain.PageTables));
        Assert.Equal([3UL], domain.ListFrames);
        Assert.Equal((0UL, 1UL, 2UL), (domain.StartInfoFrame, domain.StoreFrame, domain.ConsoleFrame));
        Assert.Equal([0, 1], domain.Vcpus.Keys);
        Assert.Equal(32, domain.Vcpus[1].Msrs.Length);
        Assert.Equal((2_000_000u, 77UL, 1u), (domain.Tsc!.Value.GtscKhz, domain.Tsc.Value.ElapsedNsec,
            domain.Tsc.Value.Incarnation));
        Assert.Equal(SavedFiles.Records().Count, domain.Records.Count);
        Assert.All(domain.Records, record => Assert.Matches("^[0-9a-f]{16}$", record.Checksum));
        Assert.Equal(0xc, domain.Frames[4]);
        Assert.Equal(1, domain.Frames[7]);
    }

    [Fact]
    public void A_file_of_xl_is_read_by_libxls_names()
    {
        SavedDomain domain = SavedFiles.Check(SavedFiles.WriteForeign(SavedFiles.Records()));
        DomainConfig config = domain.Opening.Config.Config;
        Assert.False(domain.Opening.Config.IsOurs);
        Assert.Equal(("guest", 2048UL, 1024UL, 2), (config.Name, config.MaximumMemoryKib, config.MemoryKib,
            config.MaximumVcpus));
        Assert.Equal([true, true], config.OnlineVcpus);
        Assert.Equal(LifecycleAction.Restart, config.OnReboot);
        Assert.Equal(LifecycleAction.Destroy, config.OnCrash);
        Assert.Equal(256, config.Weight);
        Assert.All(domain.Records, record => Assert.Null(record.Checksum));
    }

    [Fact]
    public void An_image_of_version_2_needs_no_end_of_its_static_data()
    {
        List<FileRecord> records = SavedFiles.Records();
        _ = records.RemoveAll(record => record.Type is RecordType.StaticDataEnd or RecordType.X86CpuidPolicy
            or RecordType.X86MsrPolicy);
        Assert.Equal(2, SavedFiles.Check(SavedFiles.WriteForeign(records, version: 2)).Opening.ImageVersion);
        Assert.Contains("before STATIC_DATA_END", Refused(SavedFiles.WriteForeign(records)).Message);
        Assert.Contains("its version is 4", Refused(SavedFiles.WriteForeign(records, version: 4)).Message);
    }

    [Fact]
    public void Optional_records_that_nobody_knows_are_passed_over()
    {
        List<FileRecord> records = SavedFiles.Records();
        records.Insert(3, new FileRecord((RecordType)0x9000_0000, [1, 2, 3]));
        Assert.Equal(records.Count - 1, SavedFiles.Check(SavedFiles.Write(records)).Records.Count);
        Assert.Equal(records.Count - 1, SavedFiles.Check(SavedFiles.WriteForeign(records)).Records.Count);
        records[3] = records[3] with { Type = (RecordType)0x13 };
        SaveFileException refusal = Refused(SavedFiles.Write(records));
        Assert.Equal("record of type 0x13", refusal.Part);
        Assert.Contains("required", refusal.Reason);
    }

    [Theory]
    [InlineData(RecordType.Checkpoint, "checkpoints")]
    [InlineData(RecordType.CheckpointDirtyPfnList, "checkpoints")]
    [InlineData(RecordType.Verify, "sent twice")]
    [InlineData(RecordType.HvmContext, "paravirtualized")]
    [InlineData(RecordType.HvmParams, "paravirtualized")]
    [InlineData(RecordType.Toolstack, "not understood")]
    public void Records_of_other_kinds_of_streams_are_refused(RecordType type, string reason)
    {
        SaveFileException refusal = Refused(records => records.Insert(7, new FileRecord(type, [])));
        Assert.Equal(RecordNames.Of(type), refusal.Part);
        Assert.Contains(reason, refusal.Reason);
    }

    [Fact]
    public void Every_cut_is_noticed()
    {
        byte[] ours = SavedFiles.Write(SavedFiles.Records());
        byte[] foreign = SavedFiles.WriteForeign(SavedFiles.Records());
        for (int length = 0; length < ours.Length; length += length < 3000 ? 1 : 509)
        {
            Assert.InRange(Refused(ours[..length]).Offset, 0, length);
        }

        for (int length = 0; length < foreign.Length; length += length < 3000 ? 1 : 509)
        {
            _ = Refused(foreign[..length]);
        }

        Assert.Contains("belong to nothing", Refused([.. ours, 0]).Reason);
        Assert.Contains("belong to nothing", Refused([.. foreign, .. foreign]).Reason);
    }

    /// <summary>
    /// Every bit of the opening, of each record's header and checksum, and of the ends; of the bodies, which are pages most
    /// of all, some of each.
    /// </summary>
    [Fact]
    public void Every_flipped_bit_is_noticed_with_the_record_it_is_in()
    {
        byte[] file = SavedFiles.Write(SavedFiles.Records());
        long[] offsets = [.. SavedFiles.Check(file).Records.Select(record => record.Offset)];
        List<FileRecord> records = SavedFiles.Records();
        Random random = new(20_061);
        for (int at = 0; at < offsets[0]; at++)
        {
            EachBit(at, 0, file.Length);
        }

        for (int index = 0; index < offsets.Length; index++)
        {
            int start = (int)offsets[index];
            int bodyEnd = start + 8 + records[index].Body.Length;
            int end = index + 1 < offsets.Length ? (int)offsets[index + 1] : file.Length;
            IEnumerable<int> some = Enumerable.Range(0, Math.Min(records[index].Body.Length, 20))
                .Select(_ => random.Next(start + 8, bodyEnd));
            foreach (int at in Enumerable.Range(start, 8).Concat(some).Concat(Enumerable.Range(bodyEnd, end - bodyEnd)))
            {
                EachBit(at, start, end);
            }
        }

        // The opening has no checksum of its own: the first record's covers it; and its length says where all others begin.
        void EachBit(int at, long start, long end)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] damaged = [.. file];
                damaged[at] ^= (byte)(1 << bit);
                SaveFileException refusal = Refused(damaged);
                Assert.True(refusal.Offset >= start && refusal.Offset <= end,
                    $"bit {bit} of byte {at}, between {start} and {end}: {refusal.Message}");
                Assert.Contains($" at offset {refusal.Offset}: ", refusal.Message);
            }
        }
    }

    [Fact]
    public void Nothing_that_random_damage_does_ends_in_anything_but_a_refusal()
    {
        byte[][] files = [SavedFiles.Write(SavedFiles.Records()), SavedFiles.WriteForeign(SavedFiles.Records())];
        Random random = new(20_062);
        int passed = 0;
        for (int round = 0; round < 4000; round++)
        {
            bool isForeign = round % 2 == 1;
            byte[] damaged = Damage(files[round % 2], random);
            try
            {
                _ = SavedFiles.Check(damaged);

                // Without checksums, contents may change unnoticed; with them nothing may.
                Assert.True(isForeign || damaged.AsSpan().SequenceEqual(files[0]));
                passed++;
            }
            catch (SaveFileException refusal)
            {
                Assert.InRange(refusal.Offset, 0, damaged.Length);
                Assert.NotEmpty(refusal.Part);
            }
        }

        Assert.InRange(passed, 1, 1900);
    }

    [Fact]
    public void Records_of_random_numbers_are_refused_though_their_checksums_are_right()
    {
        Random random = new(20_063);
        int refused = 0;
        for (int round = 0; round < 1500; round++)
        {
            List<FileRecord> records = SavedFiles.Records();
            int index = random.Next(records.Count);
            byte[] body = Damage(records[index].Body.Length == 0 ? new byte[8] : records[index].Body, random);
            records[index] = records[index] with { Body = body };
            try
            {
                _ = SavedFiles.Check(SavedFiles.Write(records));
            }
            catch (SaveFileException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 300, 1499);
    }

    [Fact]
    public void Records_in_another_order_missing_or_twice_are_refused()
    {
        int count = SavedFiles.Records().Count;
        RecordType[] needless = [RecordType.X86CpuidPolicy, RecordType.X86MsrPolicy, RecordType.X86TscInfo,
            RecordType.X86PvVcpuExtended, RecordType.X86PvVcpuXsave, RecordType.X86PvVcpuMsrs];
        for (int index = 0; index < count; index++)
        {
            RecordType type = SavedFiles.Records()[index].Type;
            bool isPage = type == RecordType.PageData;
            bool isPart = type is RecordType.X86PvVcpuExtended or RecordType.X86PvVcpuXsave
                or RecordType.X86PvVcpuMsrs;
            if (!isPage && !isPart)
            {
                Assert.Contains("second of its kind",
                    Refused(records => records.Insert(index, records[index])).Reason);
            }

            bool isSecondVcpu = index >= count - 4;
            if (!needless.Contains(type) && !isSecondVcpu)
            {
                _ = Refused(records => records.RemoveAt(index));
            }
        }

        Assert.Equal("X86_PV_P2M_FRAMES", Refused(records => records.Insert(0, records[4])).Part);
        Assert.Equal("PAGE_DATA", Refused(records => records.Insert(1, records[5])).Part);
        Assert.Equal("PAGE_DATA", Refused(records => records.Add(records[5])).Part);
        Assert.Equal("X86_PV_VCPU_XSAVE", Refused(records => records.Insert(9, records[11])).Part);
        Assert.Equal("X86_CPUID_POLICY", Refused(records => records.Add(records[1])).Part);
    }

    [Fact]
    public void Frames_that_are_not_in_the_file_are_refused_wherever_they_are_named()
    {
        static void Word(byte[] body, int offset, ulong value) =>
            BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(offset), value);

        const int FirstPage = 8 + (8 * 8);
        int registers = 8 + (int)Marshal.OffsetOf<VcpuGuestContext>(nameof(VcpuGuestContext.UserRegs));
        int control = 8 + (int)Marshal.OffsetOf<VcpuGuestContext>(nameof(VcpuGuestContext.CtrlReg));
        int descriptors = 8 + (int)Marshal.OffsetOf<VcpuGuestContext>(nameof(VcpuGuestContext.GdtFrames));
        int descriptorCount = 8 + (int)Marshal.OffsetOf<VcpuGuestContext>(nameof(VcpuGuestContext.GdtEnts));
        int rdx = registers + (int)Marshal.OffsetOf<CpuUserRegs>(nameof(CpuUserRegs.Rdx));
        (RecordType Type, int Nth, int Offset, ulong Value, string Reason)[] cases =
        [
            (RecordType.X86PvP2mFrames, 0, 0, 5UL | ((ulong)(SavedFiles.Frames - 1) << 32), "must begin with 0"),
            (RecordType.X86PvP2mFrames, 0, 0, 0xffff_fff0UL << 32, "must begin with 0"),
            (RecordType.X86PvP2mFrames, 0, 0, 0x0fff_ffffUL << 32, "bytes, and"),
            (RecordType.X86PvP2mFrames, 0, 8, 16, "lies in guest frame 10, and the last one is f"),
            (RecordType.X86PvP2mFrames, 0, 8, 5, "no ordinary page"),
            (RecordType.PageData, 0, 0, 0, "to name 0 frames"),
            (RecordType.PageData, 0, 0, uint.MaxValue, "to name 4294967295 frames"),
            (RecordType.PageData, 0, 8, 16, "frames end at 10"),
            (RecordType.PageData, 0, 8, 5UL << 60, "type 5, which does not exist"),
            (RecordType.PageData, 0, 8, 0xdUL << 60, "broken memory"),
            (RecordType.PageData, 0, 8, 0xfUL << 60, "pages with contents"),
            (RecordType.PageData, 0, FirstPage + (4 * 4096), SavedFiles.Entry(16), "entry 0 of the level-4"),
            (RecordType.PageData, 0, FirstPage + (5 * 4096), SavedFiles.Entry(6) | 0x80, "maps a large page"),
            (RecordType.PageData, 0, FirstPage + 0x38, 99, "the store into guest frame 63"),
            (RecordType.PageData, 0, FirstPage + 0x48, 4, "the console into guest frame 4"),
            (RecordType.X86TscInfo, 0, 0, 4, "no mode"),
            (RecordType.X86PvVcpuBasic, 0, 0, 2, "the configuration has 2"),
            (RecordType.X86PvVcpuBasic, 1, 0, 0, "second of its kind"),
            (RecordType.X86PvVcpuBasic, 0, rdx, 16, "start-up page would lie in guest frame 10"),
            (RecordType.X86PvVcpuBasic, 0, rdx, ulong.MaxValue, "start-up page would lie"),
            (RecordType.X86PvVcpuBasic, 1, control + 24, 9UL << 12, "no top-level page table"),
            (RecordType.X86PvVcpuBasic, 1, control + 24, ulong.MaxValue, "no top-level page table"),
            (RecordType.X86PvVcpuBasic, 1, control + 8, (5UL << 12) | 1, "user cr3"),
            (RecordType.X86PvVcpuBasic, 0, descriptors, 16, "descriptor table lies in guest frame 10"),
            (RecordType.X86PvVcpuBasic, 0, descriptorCount, 8193, "8193 entries"),
            (RecordType.X86PvVcpuXsave, 0, 0, 7, "the configuration has 2"),
        ];
        foreach ((RecordType type, int nth, int offset, ulong value, string reason) in cases)
        {
            SaveFileException refusal = Refused(records =>
                Change(records, type, body => Word(body, offset, value), nth));
            Assert.Contains(reason, refusal.Reason);
            Assert.Equal(RecordNames.Of(reason.Contains("list lies") ? RecordType.X86PvP2mFrames
                : type == RecordType.X86PvP2mFrames ? RecordType.X86PvP2mFrames : type), refusal.Part);
        }
    }

    [Fact]
    public void A_page_table_that_maps_what_no_record_holds_is_found_with_its_record()
    {
        // The second record with pages loses frame 9, which the level-1 table in the first maps.
        SaveFileException refusal = Refused(records => Change(records, RecordType.PageData,
            body => BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(16), 8), nth: 1));
        Assert.Contains("maps guest frame 9, of which the file holds no page", refusal.Reason);
        Assert.Equal(SavedFiles.Check(SavedFiles.Write(SavedFiles.Records())).Records[5].Offset, refusal.Offset);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        foreach (RecordType type in new[]
        {
            RecordType.X86PvInfo, RecordType.X86CpuidPolicy, RecordType.X86MsrPolicy, RecordType.StaticDataEnd,
            RecordType.X86PvP2mFrames, RecordType.PageData, RecordType.X86TscInfo, RecordType.SharedInfo,
            RecordType.X86PvVcpuBasic, RecordType.X86PvVcpuMsrs,
        })
        {
            int length = SavedFiles.Records().Find(record => record.Type == type)!.Body.Length;
            foreach (int other in new[] { length + 1, Math.Max(length - 1, 0), 1 })
            {
                if (other != length)
                {
                    Assert.Equal(RecordNames.Of(type), Refused(records => Resize(records, type, other)).Part);
                }
            }
        }

        Assert.Contains("up to 128", Refused(records => Resize(records, RecordType.X86PvVcpuExtended, 200)).Reason);
        Assert.Contains("up to 1048576",
            Refused(records => Resize(records, RecordType.X86PvVcpuXsave, 2 << 20)).Reason);
        Assert.Contains("no record has more",
            Refused(records => Resize(records, RecordType.PageData, 17 << 20)).Reason);
    }

    [Fact]
    public void More_pages_than_the_configuration_allows_are_refused() => Assert.Contains(
        "holds 300 pages, and the configuration allows 256",
        Refused(records =>
        {
            Change(records, RecordType.X86PvP2mFrames,
                body => BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), 299));
            ulong[] frames = [.. Enumerable.Range(16, 284).Select(frame => (ulong)(uint)frame | (0xeUL << 60))];
            records.Insert(7, new FileRecord(RecordType.PageData, [.. SavedFiles.Words([284]), .. SavedFiles.Words(frames)]));
        }, SavedFiles.Config with { MaximumMemoryKib = 1024 }).Reason);

    private static byte[] Damage(byte[] sound, Random random)
    {
        List<byte> bytes = [.. sound];
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            int at = random.Next(bytes.Count - 7) & ~(random.Next(2) * 7);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    ulong value = random.Next(4) switch
                    {
                        0 => ulong.MaxValue,
                        1 => 0,
                        2 => 1UL << random.Next(64),
                        _ => (ulong)random.NextInt64(),
                    };
                    for (int index = 0; index < 8; index++)
                    {
                        bytes[at + index] = (byte)(value >> (8 * index));
                    }

                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 64), bytes.Count - at - 7 > 0 ? bytes.Count - at - 7 : 1));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - 7), random.Next(1, 7)));
                    break;
                default:
                    bytes.Reverse(at, Math.Min(random.Next(2, 32), bytes.Count - at));
                    break;
            }

            if (bytes.Count < 16)
            {
                bytes.AddRange(new byte[16]);
            }
        }

        return [.. bytes];
    }
}
