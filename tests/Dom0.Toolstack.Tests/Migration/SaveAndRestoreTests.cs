// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Migration;

public sealed class SaveAndRestoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("save-tests-").FullName;

    private readonly string _claims = Directory.CreateTempSubdirectory("save-claims-").FullName;

    private string Path => System.IO.Path.Combine(_directory, "saved");

    public void Dispose()
    {
        Assert.Empty(Directory.GetFiles(_claims));
        Directory.Delete(_directory, recursive: true);
        Directory.Delete(_claims, recursive: true);
    }

    private TransferReport Save(FakeGuest guest, bool keepsRunning = false, CancellationToken cancellation = default,
        double seconds = 60, Action<TransferProgress>? progress = null) =>
        new DomainSaver(guest.Hypervisor, guest.Store)
        {
            SuspendLimit = TimeSpan.FromSeconds(seconds),
            ClaimFolder = _claims,
            Progress = progress,
        }.Save(guest.Domain, Path, keepsRunning, cancellation);

    private TransferReport Restore(FakeGuest guest) =>
        new DomainRestorer(guest.Hypervisor, guest.Store) { ClaimFolder = _claims }.Restore(Path);

    [Fact]
    public unsafe void A_restored_guest_is_the_saved_one_on_other_frames()
    {
        using FakeGuest guest = new();
        ulong[] oldList = FakeGuest.List(guest.Hypervisor, guest.Fake, guest.Domain.Id);
        FakeHypervisor.Domain old = guest.State;
        MachineMap oldMap = Map(oldList);
        Dictionary<ulong, byte[]> contents = old.Frames.ToDictionary(frame => frame,
            frame => guest.Fake.Frame(frame).ToArray());
        guest.Server.Put($"/local/domain/{guest.Domain.Id}/control/feature-suspend", "1");
        int lastProgress = 0;
        TransferReport saved = Save(guest, progress: progress =>
        {
            Assert.InRange(progress.Done, lastProgress + 1, progress.Total);
            lastProgress = progress.Done;
        });
        Assert.Equal(new FileInfo(Path).Length, saved.Bytes);
        Assert.Equal((int)FakeGuest.Pages - 1, lastProgress);
        Assert.Equal([0], guest.Fake.Domains.Keys);
        Assert.Equal([Path], Directory.GetFiles(_directory));
        Assert.Empty(guest.Server.Introduced);

        TransferReport restored = Restore(guest);
        FakeHypervisor.Domain domain = guest.Fake.Domains[restored.DomainId];
        Assert.Equal("guest", restored.Name);
        Assert.Equal((old.Uuid, old.VcpuLimit, old.MaximumKiB), (domain.Uuid, domain.VcpuLimit, domain.MaximumKiB));
        Assert.True(domain.IsPaused);
        Assert.Equal(old.Leaves, domain.Leaves);
        Assert.Equal(old.Vectors[0], domain.Vectors[0]);
        Assert.Equal(old.Msrs[0], domain.Msrs[0]);
        Assert.Equal(old.Extended[0].SysEnterCallbackEip, domain.Extended[0].SysEnterCallbackEip);
        Assert.Equal(old.Tsc, domain.Tsc);
        Assert.Equal(0UL, domain.Claim);
        FakeGuest.Publish(guest.Fake, domain);
        ulong[] list = FakeGuest.List(guest.Hypervisor, guest.Fake, restored.DomainId);
        MachineMap map = Map(list);
        Assert.Equal(oldList.Select(entry => entry == ulong.MaxValue), list.Select(entry => entry == ulong.MaxValue));
        Assert.Equal((int)FakeGuest.Pages - 1, domain.Frames.Count);
        VcpuGuestContext oldContext = FakeGuest.Context(old);
        VcpuGuestContext context = FakeGuest.Context(domain);
        Assert.Equal(oldMap.Find(oldContext.CtrlReg[3] >> 12), map.Find(context.CtrlReg[3] >> 12));
        Assert.Equal(context.CtrlReg[3], context.CtrlReg[1]);
        Assert.Equal(list[FakeGuest.Pages - 2], context.GdtFrames[1]);
        Assert.Equal(list[guest.StartInfoFrame], context.UserRegs.Rdx);
        for (ulong frame = 0; frame < FakeGuest.Pages; frame++)
        {
            if (list[frame] == ulong.MaxValue || guest.IsListFrame(frame) || frame == guest.StartInfoFrame)
            {
                continue;
            }

            byte[] before = contents[oldList[frame]];
            byte[] after = guest.Fake.Frame(list[frame]);
            Assert.Equal(old.Tables.GetValueOrDefault(oldList[frame]), domain.Tables.GetValueOrDefault(list[frame]));
            if (old.Tables.ContainsKey(oldList[frame]))
            {
                Assert.Equal(ToGuestFrames(before, oldMap), ToGuestFrames(after, map));
            }
            else
            {
                Assert.True(before.AsSpan().SequenceEqual(after), $"guest frame {frame:x}");
            }
        }

        StartInfo info = MemoryMarshal.Read<StartInfo>(guest.Fake.Frame(list[guest.StartInfoFrame]));
        (ulong storeFrame, uint storePort) = guest.Server.Introduced[restored.DomainId];
        Assert.Equal((storeFrame, storePort), (info.StoreMfn, info.StoreEventChannel));
        Assert.Equal(domain.SharedInfo << 12, info.SharedInfo);
        string path = $"/local/domain/{restored.DomainId}";
        Assert.Equal($"{info.ConsoleDomUMfn}", guest.Server.Nodes[$"{path}/console/ring-ref"].Value);
        Assert.Equal($"{info.ConsoleDomUEventChannel}", guest.Server.Nodes[$"{path}/console/port"].Value);
        Assert.Equal("guest", guest.Server.Nodes[$"{path}/name"].Value);
        Assert.Equal("1", guest.Server.Nodes[$"{path}/control/feature-suspend"].Value);
        Assert.Equal("", guest.Server.Nodes[$"{path}/control/feature-reboot"].Value);
        GrantEntryV1[] grants = MemoryMarshal.Cast<byte, GrantEntryV1>(domain.GrantTable)[..2].ToArray();
        Assert.Equal(info.ConsoleDomUMfn, grants[0].Frame);
        Assert.Equal(info.StoreMfn, grants[1].Frame);
        SharedInfo shared = MemoryMarshal.Read<SharedInfo>(guest.Fake.Frame(domain.SharedInfo));
        Assert.Equal(ulong.MaxValue, shared.EventChannelMask[63]);
    }

    /// <summary>A file that somebody changes something before each time it is written to.</summary>
    private sealed class DisturbedStream(Action disturb) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            disturb();
            base.Write(buffer);
        }
    }

    [Fact]
    public void A_back_end_that_still_writes_to_the_guests_pages_leaves_no_wrong_checksum()
    {
        using FakeGuest guest = new();
        guest.Store.Write(guest.ControlNode, "suspend");
        NativeRegion? mapped = null;
        guest.Fake.Mapped = region => mapped = region;
        int before = guest.Fake.LiveRegions;
        int writes = 0;
        using DisturbedStream file = new(() => writes += guest.Fake.LiveRegions > before ? CountUp(mapped) : 0);
        SaveFileWriter writer = new(file);
        writer.WriteOpening(SavedConfig.Write(FakeGuest.Config, "linux"), 4, 17);
        int pages = new DomainImageWriter(guest.Hypervisor, guest.Id, writer, null).Write(1, default);
        writer.Finish();
        Assert.True(writes > pages, $"{writes} pages were changed of {pages}");
        file.Position = 0;
        Assert.Equal(pages, SavedDomainChecker.Check(file, "file").Pages);
    }

    /// <summary>Changes the last byte of each page with data, known by its equal words; returns how many there were.</summary>
    private static int CountUp(NativeRegion? region)
    {
        int changed = 0;
        for (int page = 0; region is not null && page < region.Length / SaveFileLayout.PageSize; page++)
        {
            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(region.Page(page));
            if (words[0] != 0 && words[0] == words[1])
            {
                region.Page(page)[^1]++;
                changed++;
            }
        }

        return changed;
    }

    [Fact]
    public void A_checkpoint_leaves_the_guest_running_and_can_be_taken_again()
    {
        using FakeGuest guest = new();
        for (int time = 1; time <= 2; time++)
        {
            _ = Save(guest, keepsRunning: true);
            Assert.True(guest.Runs);
            Assert.Equal(time, guest.State.Resumes);
            Assert.Equal(1UL, FakeGuest.Context(guest.State).UserRegs.Rax);
            Assert.Contains(StoreOperation.Resume, guest.Server.Requests);
        }

        ToolstackException taken = Assert.Throws<ToolstackException>(() => Restore(guest));
        Assert.Contains("there is a domain 'guest' already", taken.Message);
        Assert.Equal(2, guest.Fake.Domains.Count);
    }

    [Fact]
    public void Whatever_hypercall_fails_while_saving_the_guest_runs_on_and_there_is_no_file()
    {
        int failures = 0;
        int tolerated = 0;
        for (int call = 0; ; call++)
        {
            using FakeGuest guest = new();
            guest.Fake.FailAfter = call;
            guest.Fake.FailWith = LibcErrno.Invalid;
            int regions = guest.Fake.LiveRegions;
            try
            {
                _ = Save(guest, keepsRunning: true, seconds: 1);
                if (guest.Fake.FailAfter >= 0)
                {
                    break;
                }

                Assert.True(guest.Runs);
                tolerated++;
            }
            catch (ToolstackException refusal) when (refusal.Message.Contains("was saved to"))
            {
                // The last steps, in which it is let go on: the file is whole.
                _ = SaveFileVerifier.Verify(Path);
                Assert.Equal(regions, guest.Fake.LiveRegions);
            }
            catch (ToolstackException refusal)
            {
                failures++;
                Assert.Contains("EINVAL", refusal.Message);
                Assert.True(guest.Runs, $"call {call}: {refusal.Message}");
                Assert.Empty(Directory.GetFiles(_directory));
                Assert.Equal(regions, guest.Fake.LiveRegions);
            }

            File.Delete(Path);
        }

        Assert.InRange(failures, 25, 120);
        Assert.InRange(tolerated, 0, 3);
    }

    [Fact]
    public void Whatever_request_to_the_store_fails_while_saving_the_guest_runs_on()
    {
        int failures = 0;
        for (int request = 0; ; request++)
        {
            using FakeGuest guest = new();
            guest.Server.FailAfter = request;
            try
            {
                _ = Save(guest, keepsRunning: true, seconds: 1);
                if (guest.Server.FailAfter >= 0)
                {
                    break;
                }
            }
            catch (ToolstackException)
            {
                failures++;
                Assert.Empty(Directory.GetFiles(_directory));
            }

            Assert.True(guest.Runs, $"request {request}");
            File.Delete(Path);
        }

        Assert.InRange(failures, 10, 60);
    }

    [Fact]
    public void Whatever_fails_while_restoring_nothing_is_left()
    {
        using FakeGuest guest = new();
        _ = Save(guest);
        int regions = guest.Fake.LiveRegions;
        ulong free = guest.Fake.FreeFrames;
        foreach (bool isStore in new[] { false, true })
        {
            int failures = 0;
            for (int step = 0; ; step++)
            {
                (guest.Fake.FailAfter, guest.Server.FailAfter) = isStore ? (-1, step) : (step, -1);
                guest.Fake.FailWith = LibcErrno.Invalid;
                guest.Fake.DestroySteps = 1;
                try
                {
                    TransferReport restored = Restore(guest);
                    bool isOver = (isStore ? guest.Server.FailAfter : guest.Fake.FailAfter) >= 0;
                    (guest.Fake.FailAfter, guest.Server.FailAfter) = (-1, -1);
                    DomainDestroyer.Destroy(guest.Hypervisor, guest.Store,
                        new DomainReference(restored.DomainId, restored.Name));
                    if (isOver)
                    {
                        break;
                    }
                }
                catch (ToolstackException refusal)
                {
                    failures++;
                    Assert.True(guest.Fake.Domains.Count == 1, $"step {step}: {refusal.Message}");
                    Assert.Empty(guest.Server.Introduced);
                }

                Assert.Equal(free, guest.Fake.FreeFrames);
                Assert.Equal(regions, guest.Fake.LiveRegions);
            }

            Assert.InRange(failures, 30, 400);
        }
    }

    [Fact]
    public void Too_little_memory_for_a_restore_is_told_with_both_amounts()
    {
        using FakeGuest guest = new();
        _ = Save(guest);
        guest.Fake.FreeFrames = 2560;
        Assert.Contains("16 MiB are wanted and 10 MiB are free",
            Assert.Throws<ToolstackException>(() => Restore(guest)).Message);
        Assert.Equal([0], guest.Fake.Domains.Keys);
    }

    [Fact]
    public void A_damaged_file_creates_nothing()
    {
        using FakeGuest guest = new();
        _ = Save(guest);
        using (FileStream file = File.OpenWrite(Path))
        {
            file.Position = file.Length - 100;
            file.WriteByte(0x55);
        }

        guest.Fake.Calls.Clear();
        SaveFileException refusal = Assert.Throws<SaveFileException>(() => Restore(guest));
        Assert.Equal("X86_PV_VCPU_XSAVE", refusal.Part);
        Assert.Empty(guest.Fake.Calls);
    }

    [Fact]
    public void A_guest_that_does_not_answer_has_its_request_withdrawn()
    {
        using FakeGuest guest = new() { Answers = false };
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => Save(guest, seconds: 0.05));
        Assert.Contains("did not answer the request to suspend itself", refusal.Message);
        Assert.Equal("", guest.Server.Nodes[guest.ControlNode].Value);
        Assert.True(guest.Runs);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_guest_that_crashes_instead_of_suspending_itself_is_not_saved()
    {
        using FakeGuest guest = new();
        guest.Server.Written += (path, value) =>
        {
            if (path == guest.ControlNode && value == "suspend")
            {
                guest.State.Reason = ShutdownReason.Crash;
            }
        };
        Assert.Contains("stopped for another reason (Crash)",
            Assert.Throws<ToolstackException>(() => Save(guest)).Message);
        Assert.Equal(0, guest.State.Resumes);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void An_interrupted_save_leaves_the_guest_running()
    {
        using FakeGuest guest = new();
        using CancellationTokenSource source = new();
        ToolstackException refusal = Assert.Throws<ToolstackException>(() =>
            Save(guest, cancellation: source.Token, progress: _ => source.Cancel()));
        Assert.Equal("interrupted; 'guest' runs on", refusal.Message);
        Assert.True(guest.Runs);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_place_that_cannot_be_written_to_is_found_before_the_guest_is_asked()
    {
        using FakeGuest guest = new();
        ToolstackException refusal = Assert.Throws<ToolstackException>(() =>
            new DomainSaver(guest.Hypervisor, guest.Store) { ClaimFolder = _claims }.Save(guest.Domain, "/no/such/place", keepsRunning: false));
        Assert.Equal("writing /no/such/place: its directory does not exist", refusal.Message);
        _ = Assert.Throws<ToolstackException>(() =>
            new DomainSaver(guest.Hypervisor, guest.Store) { ClaimFolder = _claims }.Save(guest.Domain, _directory, keepsRunning: false));
        Assert.Equal(0, guest.State.Resumes);
        Assert.True(guest.Runs);
    }

    [Fact]
    public void Guests_that_cannot_be_saved_are_refused()
    {
        using FakeGuest guest = new();
        guest.Server.Put($"/local/domain/{guest.Domain.Id}/device/pci/0/state", "4");
        Assert.EndsWith("kernel: pci 0", Assert.Throws<ToolstackException>(() => Save(guest)).Message);
        guest.Store.Remove($"/local/domain/{guest.Domain.Id}/device/pci");
        guest.State.IsPaused = true;
        Assert.Contains("is paused", Assert.Throws<ToolstackException>(() => Save(guest)).Message);
        guest.State.IsPaused = false;
        guest.Fake.AddressSize = 32;
        Assert.Contains("32-bit one; only 64-bit guests can be saved; 'guest' runs on",
            Assert.Throws<ToolstackException>(() => Save(guest)).Message);
        Assert.True(guest.Runs);
        guest.Fake.AddressSize = 64;
        ulong foreign = guest.State.Tables.First(table => table.Value >> 28 == 1).Key;
        MemoryMarshal.Cast<byte, ulong>(guest.Fake.Frame(foreign).AsSpan())[100] = (0xabcdefUL << 12) | 0x67;
        Assert.Contains("entry 100 of the guest's level-1 page table",
            Assert.Throws<ToolstackException>(() => Save(guest)).Message);
        Assert.True(guest.Runs);
    }

    [Fact]
    public void The_list_of_machine_frames_is_found_through_the_tree_too()
    {
        using FakeGuest guest = new();
        ulong[] list = FakeGuest.List(guest.Hypervisor, guest.Fake, guest.Domain.Id);
        ref SharedInfo info = ref MemoryMarshal.AsRef<SharedInfo>(guest.Fake.Frame(guest.State.SharedInfo).AsSpan());
        MachineFrameList linear = MachineFrameList.Read(guest.Hypervisor, guest.Id, in info);
        Span<ulong> middle = MemoryMarshal.Cast<byte, ulong>(guest.Fake.Frame(list[9]).AsSpan());
        linear.ListFrames.CopyTo(middle);
        MemoryMarshal.Cast<byte, ulong>(guest.Fake.Frame(list[8]).AsSpan())[0] = list[9];
        info.Arch.P2MCr3 = 0;
        info.Arch.PfnToMfnFrameListList = list[8];
        Assert.Equal(linear.Entries, MachineFrameList.Read(guest.Hypervisor, guest.Id, in info).Entries);
        info.Arch.PfnToMfnFrameListList = ulong.MaxValue;
        SharedInfo none = info;
        Assert.Contains("has not told where", Assert.Throws<ToolstackException>(
            () => MachineFrameList.Read(guest.Hypervisor, guest.Id, in none)).Message);
    }

    private static MachineMap Map(ulong[] list)
    {
        MachineMap map = new();
        for (int frame = 0; frame < list.Length; frame++)
        {
            if (list[frame] != ulong.MaxValue)
            {
                Assert.True(map.TryAdd(list[frame], (ulong)frame));
            }
        }

        return map;
    }

    private static ulong?[] ToGuestFrames(byte[] table, MachineMap map) =>
        [.. MemoryMarshal.Cast<byte, ulong>(table).ToArray().Select(
            entry => (entry & 1) == 0 ? entry : map.Find(entry >> 12) * 4096 + (entry & 0xfff))];
}
