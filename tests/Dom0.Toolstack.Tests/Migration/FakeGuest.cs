// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Build;
using Dom0.Toolstack.Tests.Fakes;
using Xen.Abi;

namespace Dom0.Toolstack.Tests.Migration;

/// <summary>A guest with page tables on the fake hypervisor that does what Linux does when it is to suspend itself.</summary>
internal sealed unsafe class FakeGuest : IDisposable
{
    public const ulong Pages = 4096 + 7;

    private readonly PvLayout _layout = PvLayout.Plan(TestKernels.Modern(), 3, Pages);

    public FakeGuest()
    {
        Hypervisor = new Hypervisor(Fake);
        Store = new StoreClient(Server);
        Server.Put("/local/domain/0/name", "Domain-0");
        Domain = new DomainCreator(Hypervisor, Store).Create(Config, TestKernels.Modern(), [1, 2, 3]);
        Boot();
        Server.Written = (path, value) =>
        {
            if (Answers && path == ControlNode && value == "suspend")
            {
                Server.Put(ControlNode, "");
                Suspend();
            }
        };
    }

    public static DomainConfig Config => SavedFiles.Config with
    {
        MemoryKib = Pages * 4,
        MaximumMemoryKib = Pages * 8,
        Affinity = [CpuSet.All, CpuSet.Parse("1")],
    };

    public FakeHypervisor Fake { get; } = new();

    public FakeStoreServer Server { get; } = new();

    public Hypervisor Hypervisor { get; }

    public StoreClient Store { get; }

    public DomainReference Domain { get; }

    public bool Answers { get; set; } = true;

    public string ControlNode => $"/local/domain/{Domain.Id}/control/shutdown";

    public FakeHypervisor.Domain State => Fake.Domains[Domain.Id];

    public DomId Id => new((ushort)Domain.Id);

    /// <summary>Is the guest where it would be if nobody had ever asked it for anything?</summary>
    public bool Runs => Fake.Domains.TryGetValue(Domain.Id, out FakeHypervisor.Domain? state)
        && state is { IsShutdown: false, IsPaused: false };

    public void Dispose() => Hypervisor.Dispose();

    public static VcpuGuestContext Context(FakeHypervisor.Domain domain) =>
        MemoryMarshal.Read<VcpuGuestContext>(domain.Registers[0]);

    /// <summary>Says where the list of machine frames is, as a kernel does when it is up.</summary>
    public static void Publish(FakeHypervisor fake, FakeHypervisor.Domain domain)
    {
        ref SharedInfo info = ref MemoryMarshal.AsRef<SharedInfo>(fake.Frame(domain.SharedInfo).AsSpan());
        info.Arch.MaxPfn = Pages;
        VcpuGuestContext context = Context(domain);
        info.Arch.P2MCr3 = context.CtrlReg[3];
        info.Arch.P2MVaddr = TestKernels.Modern().P2mBase!.Value;
    }

    /// <summary>The guest frames' machine frames.</summary>
    public static ulong[] List(Hypervisor hypervisor, FakeHypervisor fake, int id) =>
        MachineFrameList.Read(hypervisor, new DomId((ushort)id),
            in MemoryMarshal.AsRef<SharedInfo>(fake.Frame(fake.Domains[id].SharedInfo))).Entries;

    public ulong StartInfoFrame => _layout.StartInfoFrame;

    public bool IsListFrame(ulong frame) => frame >= _layout.P2mFrame && frame < _layout.P2mFrame + ListPages;

    private static ulong ListPages => (Pages + 511) / 512;

    private void Boot()
    {
        Publish(Fake, State);
        State.IsPaused = false;
        ref VcpuGuestContext context = ref MemoryMarshal.AsRef<VcpuGuestContext>(State.Registers[0].AsSpan());
        ulong[] list = List(Hypervisor, Fake, Domain.Id);
        context.GdtEnts = 513;
        context.GdtFrames[0] = list[Pages - 1];
        context.GdtFrames[1] = list[Pages - 2];
        context.CtrlReg[1] = context.CtrlReg[3];
        State.Extended[0] = new DomCtlExtVcpuContext { SysEnterCallbackEip = 0x1234 };
        State.Vectors[0] = [.. Enumerable.Range(0, 64).Select(value => (byte)value)];
        State.Msrs[0] = [new DomCtlVcpuMsr { Index = 0xc000_0103, Value = 5 }];
        State.Tsc = new DomCtlTscInfo { TscMode = 0, GtscKhz = 2_000_000, ElapsedNsec = 12_345, Incarnation = 1 };
        for (ulong frame = 0; frame < Pages; frame++)
        {
            if (!State.Tables.ContainsKey(list[frame]) && !IsListFrame(frame) && frame != StartInfoFrame)
            {
                MemoryMarshal.Cast<byte, ulong>(Fake.Frame(list[frame]).AsSpan()).Fill(frame * 0x9e37_79b9);
            }
        }

        // What a balloon has given back.
        _ = State.Frames.Remove(list[Pages - 3]);
        SetListEntry(list, Pages - 3, ulong.MaxValue);
    }

    private void SetListEntry(ulong[] list, ulong frame, ulong value) =>
        MemoryMarshal.Cast<byte, ulong>(Fake.Frame(list[_layout.P2mFrame + (frame / 512)]).AsSpan())[(int)(frame % 512)] = value;

    private void Suspend()
    {
        ulong startInfo = State.Frames.Single(
            frame => Encoding.ASCII.GetString(Fake.Frame(frame), 0, 14) == "xen-3.0-x86_64");
        ref StartInfo info = ref MemoryMarshal.AsRef<StartInfo>(Fake.Frame(startInfo).AsSpan());
        info.StoreMfn = _layout.StoreFrame;
        info.ConsoleDomUMfn = _layout.ConsoleFrame;
        MemoryMarshal.AsRef<VcpuGuestContext>(State.Registers[0].AsSpan()).UserRegs.Rdx = startInfo;
        State.IsShutdown = true;
        State.Reason = ShutdownReason.Suspend;
    }
}
