// SPDX-License-Identifier: MIT
//
// A hypervisor that understands what the toolstack sends it, byte by byte, and keeps the rules that the real one would
// punish later: frames belong to one domain, a page table is never writable, nothing of a dead domain is mapped. Each
// hypercall can be made to fail, which is how the tests walk through every half-built state.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Interop;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Dom0.Toolstack.Tests.Fakes;

public sealed unsafe partial class FakeHypervisor : IHypercallChannel
{
    private const ulong FirstFrame = 0x1000;
    private const ulong SharedInfoBase = 0x900000;

    private readonly Dictionary<ulong, byte[]> _frames = [];
    private readonly Dictionary<ulong, int> _mapped = [];
    private ushort _nextDomain = 1;
    private ulong _looks;
    private ulong _nextFrame = FirstFrame;

    public sealed partial class Domain
    {
        public Guid Uuid { get; set; }

        public uint VcpuLimit { get; init; }

        public uint Vcpus { get; set; }

        public bool IsPaused { get; set; } = true;

        public bool IsShutdown { get; set; }

        /// <summary>Destroyed; what others have of its memory is still there.</summary>
        public bool HasEnded { get; set; }

        /// <summary>Frames that others have mapped when it is destroyed.</summary>
        public int HeldFrames { get; set; }

        public ShutdownReason Reason { get; set; }

        public ulong Claim { get; set; }

        public ulong MaximumKiB { get; set; }

        public ulong MapBytes { get; set; }

        public uint TscMode { get; set; }

        public uint PolicyLeaves { get; set; }

        public uint Ports { get; set; }

        public ulong SharedInfo { get; init; }

        public byte[] GrantTable { get; } = new byte[4096];

        public HashSet<ulong> Frames { get; } = [];

        public HashSet<ulong> Pinned { get; } = [];

        public VcpuGuestContext? Context { get; set; }

        public Dictionary<uint, byte[]> Affinity { get; } = [];

        public (ushort Weight, ushort Cap) Share { get; set; } = (256, 0);

        public ulong HypercallPage { get; set; }
    }

    public SortedDictionary<int, Domain> Domains { get; } = new()
    {
        [0] = new Domain { IsPaused = false, Vcpus = 1, VcpuLimit = 1 },
    };

    /// <summary>Frames that no domain has.</summary>
    public ulong FreeFrames { get; set; } = 100_000;

    /// <summary>Makes the n-th call from now on fail; counts down, negative for never.</summary>
    public int FailAfter { get; set; } = -1;

    /// <summary>Runs before each call; what it throws, the caller gets.</summary>
    public Action? BeforeEach { get; set; }

    /// <summary>Is given every region of another domain's frames when it is mapped.</summary>
    public Action<NativeRegion>? Mapped { get; set; }

    /// <summary>With which error.</summary>
    public int FailWith { get; set; } = LibcErrno.NoMemory;

    /// <summary>Regions that somebody still holds.</summary>
    public int LiveRegions { get; private set; }

    /// <summary>How often destroydomain wants to be called again.</summary>
    public int DestroySteps { get; set; } = 3;

    /// <summary>Highest order that populate_physmap grants.</summary>
    public uint MaximumOrder { get; set; } = 9;

    public SchedulerId Scheduler { get; set; } = SchedulerId.Credit;

    /// <summary>The policy in force; null for a hypervisor that knows nothing of such.</summary>
    public SchedulingPolicy? Policy { get; set; }

    /// <summary>What a change of policy or a reservation is answered with.</summary>
    public int SchedulingAnswer { get; set; }

    public Dictionary<(uint Domain, SchedulingPolicy Policy), SchedulingOp> SchedulingParameters { get; } = [];

    public SchedulingTimes Times { get; set; } = new() { ContextSwitchAllowance = 5_000_000 };

    public string ConsoleText { get; set; } = "";

    /// <summary>Keys pressed on the hypervisor's console.</summary>
    public string KeysPressed { get; private set; } = "";

    /// <summary>Names of the calls in their order.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>The content of a frame; before its first use it is what nobody can have written.</summary>
    public byte[] Frame(ulong machineFrame)
    {
        if (!_frames.TryGetValue(machineFrame, out byte[]? content))
        {
            content = new byte[4096];
            Array.Fill(content, (byte)0xcc);
            _frames[machineFrame] = content;
        }

        return content;
    }

    public NativeRegion Allocate(int bytes)
    {
        int length = (bytes + 4095) & ~4095;
        LiveRegions++;
        return new NativeRegion((nint)NativeMemory.AllocZeroed((nuint)length), length, (address, _) =>
        {
            NativeMemory.Free((void*)address);
            LiveRegions--;
        });
    }

    public NativeRegion MapFrames(ushort domain, ReadOnlySpan<ulong> frames, bool isReadOnly)
    {
        Count("map");
        ulong[] mapped = frames.ToArray();
        Domain owner = Domains[domain];
        foreach (ulong frame in mapped)
        {
            if (!owner.Frames.Contains(frame) && owner.SharedInfo != frame)
            {
                throw new XenException(LibcErrno.Invalid, "map", $"frame {frame:x} is not domain {domain}'s");
            }

            if (!isReadOnly && owner.Pinned.Contains(frame))
            {
                throw new XenException(LibcErrno.Invalid, "map", $"frame {frame:x} is a page table");
            }
        }

        return Map([.. mapped.Select(Frame)], isReadOnly ? [] : mapped, isReadOnly);
    }

    public NativeRegion MapForReading(ushort domain, ReadOnlySpan<ulong> frames, Span<int> errors)
    {
        Count("map for reading");
        ulong[] mapped = frames.ToArray();
        Domain owner = Domains[domain];
        for (int index = 0; index < mapped.Length; index++)
        {
            bool isOwn = owner.Frames.Contains(mapped[index]) || owner.SharedInfo == mapped[index];
            errors[index] = isOwn ? 0 : -LibcErrno.Invalid;
        }

        // A copy: what is written into it reaches nobody.
        return Map([.. mapped.Select(frame => (byte[])Frame(frame).Clone())], []);
    }

    public NativeRegion MapResource(ushort domain, uint type, uint id, uint index, int pages)
    {
        Count("acquire_resource");
        return (type, id, index, pages) == (1, 0, 0, 1)
            ? Map([Domains[domain].GrantTable], [])
            : throw new XenException(LibcErrno.Invalid, "acquire_resource");
    }

    public int Call(ulong number, ulong first, ulong second, ulong third, ulong fourth, ulong fifth)
    {
        try
        {
            return (HypercallNumber)number switch
            {
                HypercallNumber.DomCtl => Run(ref *(DomCtl*)first),
                HypercallNumber.SysCtl => Run(ref *(SysCtl*)first),
                HypercallNumber.Multicall => Run(ref *(MulticallEntry*)first),
                HypercallNumber.EventChannelOp => AllocateUnbound(ref *(EventChannelAllocUnbound*)second),
                HypercallNumber.MmuExtOp => Pin(ref *(MmuExtOp*)first, (ushort)fourth),
                HypercallNumber.XenVersion => Version((VersionCommand)first, (byte*)second),
                _ => -LibcErrno.NotImplemented,
            };
        }
        catch (XenException refused)
        {
            return -refused.Errno;
        }
    }

    public void Dispose()
    {
    }

    private void Count(string name)
    {
        Calls.Add(name);
        BeforeEach?.Invoke();
        if (FailAfter == 0)
        {
            FailAfter = -1;
            throw new XenException(FailWith, name);
        }

        FailAfter -= FailAfter > 0 ? 1 : 0;
    }

    private NativeRegion Map(byte[][] pages, ulong[] frames, bool isReadOnly = false)
    {
        LiveRegions++;
        int length = pages.Length * 4096;
        byte* memory = (byte*)NativeMemory.Alloc((nuint)length);
        for (int page = 0; page < pages.Length; page++)
        {
            pages[page].CopyTo(new Span<byte>(memory + (page * 4096), 4096));
        }

        foreach (ulong frame in frames)
        {
            _mapped[frame] = _mapped.GetValueOrDefault(frame) + 1;
        }

        NativeRegion region = new((nint)memory, length, (address, _) =>
        {
            for (int page = 0; page < pages.Length && !isReadOnly; page++)
            {
                new Span<byte>((byte*)address + (page * 4096), 4096).CopyTo(pages[page]);
            }

            foreach (ulong frame in frames)
            {
                _mapped[frame]--;
            }

            NativeMemory.Free((void*)address);
            LiveRegions--;
        });
        Mapped?.Invoke(region);
        return region;
    }

    private int Run(ref DomCtl call)
    {
        DomCtlCommand command = (DomCtlCommand)call.Cmd;
        Count($"domctl {command}");
        if (call.InterfaceVersion != 0x15)
        {
            return -LibcErrno.AccessDenied;
        }

        if (command == DomCtlCommand.CreateDomain)
        {
            return Create(ref call);
        }

        if (!Domains.TryGetValue(call.Domain.Raw, out Domain? domain))
        {
            return -LibcErrno.NoSuchProcess;
        }

        switch (command)
        {
            case DomCtlCommand.DestroyDomain:
                if (DestroySteps-- > 0)
                {
                    return -LibcErrno.Restart;
                }

                if (domain.HeldFrames > 0)
                {
                    FreeFrames += (ulong)domain.Frames.Count - (ulong)domain.HeldFrames;
                    domain.Frames.IntersectWith([.. domain.Frames.Take(domain.HeldFrames)]);
                    domain.HasEnded = true;
                    return 0;
                }

                FreeFrames += (ulong)domain.Frames.Count;
                _ = Domains.Remove(call.Domain.Raw);
                return 0;
            case DomCtlCommand.PauseDomain:
                domain.IsPaused = true;
                return 0;
            case DomCtlCommand.UnpauseDomain:
                domain.IsPaused = false;
                return 0;
            case DomCtlCommand.GetDomainInfo:
                call.GetDomainInfo = Info(call.Domain.Raw, domain);
                return 0;
            case DomCtlCommand.MaxVcpus:
                domain.Vcpus = call.MaxVcpus.Max;
                return domain.Vcpus == domain.VcpuLimit ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.MaxMem:
                domain.MaximumKiB = call.MaxMem.MaxMemKb;
                return 0;
            case DomCtlCommand.SetTscInfo:
                domain.TscMode = call.TscInfo.TscMode;
                domain.Tsc = call.TscInfo;
                return 0;
            case DomCtlCommand.SetCpuPolicy:
                domain.PolicyLeaves = call.CpuPolicy.NrLeaves;
                domain.Leaves = new ReadOnlySpan<CpuIdLeaf>(
                    (void*)call.CpuPolicy.Leaves, (int)call.CpuPolicy.NrLeaves).ToArray();
                return ((CpuIdLeaf*)call.CpuPolicy.Leaves)->Leaf == 0x1234 ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.HypercallInit:
                domain.HypercallPage = call.HypercallInit.Gmfn;
                return domain.Frames.Contains(call.HypercallInit.Gmfn) ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.SetVcpuContext:
                VcpuGuestContext context = *(VcpuGuestContext*)call.VcpuContext.Ctxt;
                domain.Context = context;
                domain.Registers[call.VcpuContext.Vcpu] =
                    new ReadOnlySpan<byte>((void*)call.VcpuContext.Ctxt, sizeof(VcpuGuestContext)).ToArray();
                return domain.Pinned.Contains(context.CtrlReg[3] >> 12) ? 0 : -LibcErrno.Invalid;
            case DomCtlCommand.SetDomainHandle:
                fixed (byte* handle = call.SetDomainHandle.Handle)
                {
                    domain.Uuid = new Guid(new ReadOnlySpan<byte>(handle, 16), bigEndian: true);
                }

                return 0;
            case DomCtlCommand.GetVcpuContext when !domain.Registers.ContainsKey(call.VcpuContext.Vcpu):
                if (call.VcpuContext.Vcpu != 0 || domain.Context is not { } held)
                {
                    return -LibcErrno.NoData;
                }

                *(VcpuGuestContext*)call.VcpuContext.Ctxt = held;
                return 0;
            case DomCtlCommand.GetVcpuInfo:
                if (call.GetVcpuInfo.Vcpu >= domain.Vcpus)
                {
                    return -LibcErrno.NoSuchProcess;
                }

                call.GetVcpuInfo.Online = (byte)(call.GetVcpuInfo.Vcpu < domain.OnlineVcpus ? 1 : 0);
                call.GetVcpuInfo.Running = (byte)(call.Domain.Raw == 0 ? 1 : 0);
                call.GetVcpuInfo.CpuTime = 1_500_000_000;
                return 0;
            case DomCtlCommand.SetVcpuAffinity:
                domain.Affinity[call.VcpuAffinity.Vcpu] = new ReadOnlySpan<byte>(
                    (void*)call.VcpuAffinity.CpuMapHard.Bitmap, (int)call.VcpuAffinity.CpuMapHard.NrBits / 8).ToArray();
                return 0;
            case DomCtlCommand.GetVcpuAffinity:
                Span<byte> bitmap = new((void*)call.VcpuAffinity.CpuMapHard.Bitmap,
                    (int)call.VcpuAffinity.CpuMapHard.NrBits / 8);
                bitmap.Fill(0xff);
                if (domain.Affinity.TryGetValue(call.VcpuAffinity.Vcpu, out byte[]? set))
                {
                    set.CopyTo(bitmap);
                }

                return 0;
            case DomCtlCommand.SchedulerOp when call.SchedulerOp.SchedId == (uint)Scheduler:
                if (call.SchedulerOp.Cmd == (uint)DomCtlSchedulerCommand.PutInfo)
                {
                    domain.Share = (call.SchedulerOp.Credit.Weight, call.SchedulerOp.Credit.Cap);
                }

                (call.SchedulerOp.Credit.Weight, call.SchedulerOp.Credit.Cap) = domain.Share;
                return 0;
            case DomCtlCommand.SendTrigger:
                return 0;
            default:
                return RunState(command, ref call, domain);
        }
    }

    private int Create(ref DomCtl call)
    {
        ushort id = _nextDomain++;
        _nextFrame = (_nextFrame + 1023) & ~1023UL;
        DomCtlCreateDomain wanted = call.CreateDomain;
        Domains[id] = new Domain
        {
            Uuid = new Guid(new ReadOnlySpan<byte>(wanted.Handle, 16), bigEndian: true),
            VcpuLimit = wanted.MaxVcpus,
            SharedInfo = SharedInfoBase + id,
        };

        _frames[SharedInfoBase + id] = new byte[4096];
        call.Domain = new DomId(id);
        return call.CreateDomain.GrantOpts is 1 or 2 && call.CreateDomain.Flags == 0 ? 0 : -LibcErrno.Invalid;
    }

    private static DomCtlGetDomainInfo Info(int id, Domain domain)
    {
        DomCtlGetDomainInfo info = new()
        {
            Domain = new DomId((ushort)id),
            Flags = (domain.IsPaused ? DomainInfoFlags.Paused : 0) | (domain.HasEnded ? DomainInfoFlags.Dying : 0)
                | (id == 0 ? DomainInfoFlags.Running : 0)
                | (domain.IsShutdown
                    ? DomainInfoFlags.Shutdown | ((uint)domain.Reason << (int)DomainInfoFlags.ShutdownShift)
                    : 0),
            TotPages = id == 0 ? 131072 : (ulong)domain.Frames.Count,
            MaxPages = domain.MaximumKiB / 4,
            SharedInfoFrame = domain.SharedInfo,
            CpuTime = 12_340_000_000,
            NrOnlineVcpus = domain.Vcpus,
            MaxVcpuId = domain.Vcpus - 1,
        };
        _ = domain.Uuid.TryWriteBytes(new Span<byte>(info.Handle, 16), bigEndian: true, out _);
        return info;
    }

    private int Run(ref StatisticsOp call)
    {
        if (!Domains.ContainsKey((int)call.Domain))
        {
            return -LibcErrno.NoSuchProcess;
        }

        // Numbers that grow with each look.
        _looks++;
        call.Counters.Hypercalls = 1000 * _looks;
        call.Counters.Switches = _looks;
        call.KeptPages = 21;
        return 0;
    }

    private int Run(ref SchedulingOp call)
    {
        switch (call.Op)
        {
            case SchedulingCommand.GetPolicy:
                call.Policy = Policy.GetValueOrDefault();
                return 0;
            case SchedulingCommand.SetPolicy:
                Policy = SchedulingAnswer == 0 ? call.Policy : Policy;
                (call.Vcpus, call.Pause) = (3, 12_345);
                return SchedulingAnswer;
            case SchedulingCommand.GetDomain:
                SchedulingParameters.TryGetValue((call.Domain, call.Policy), out call);
                return 0;
            case SchedulingCommand.SetDomain:
                SchedulingParameters[(call.Domain, call.Policy)] = call;
                return SchedulingAnswer;
            case SchedulingCommand.GetMachine:
                call.Machine = Times;
                return 0;
            default:
                Times = call.Machine;
                return 0;
        }
    }

    private int Run(ref SysCtl call)
    {
        if (call.Cmd == SchedulingExtension.SysCtl)
        {
            return Policy == null ? -LibcErrno.NotImplemented : Run(ref Unsafe.As<byte, SchedulingOp>(ref call.Pad[0]));
        }

        if (call.Cmd == StatisticsExtension.SysCtl)
        {
            return Policy == null ? -LibcErrno.NotImplemented : Run(ref Unsafe.As<byte, StatisticsOp>(ref call.Pad[0]));
        }

        SysCtlCommand command = (SysCtlCommand)call.Cmd;
        Count($"sysctl {command}");
        if (call.InterfaceVersion != 0x15)
        {
            return -LibcErrno.AccessDenied;
        }

        switch (command)
        {
            case SysCtlCommand.PhysInfo:
                call.PhysInfo.NrCpus = 2;
                call.PhysInfo.MaxCpuId = 1;
                call.PhysInfo.NrNodes = 1;
                call.PhysInfo.CpuKhz = 2_596_095;
                call.PhysInfo.Capabilities = PhysicalCapabilities.Pv | PhysicalCapabilities.GrantTableV1;
                call.PhysInfo.TotalPages = 524_288;
                call.PhysInfo.FreePages = FreeFrames;
                fixed (uint* words = call.PhysInfo.HwCap)
                {
                    words[0] = 0xfcbf3fd;
                }

                return 0;
            case SysCtlCommand.SchedId:
                call.SchedId.SchedId = (uint)Scheduler;
                return 0;
            case SysCtlCommand.GetDomainInfoList:
                uint count = 0;
                foreach ((int id, Domain domain) in Domains)
                {
                    if (id >= call.GetDomainInfoList.FirstDomain.Raw && count < call.GetDomainInfoList.MaxDomains)
                    {
                        ((DomCtlGetDomainInfo*)call.GetDomainInfoList.Buffer)[count++] = Info(id, domain);
                    }
                }

                call.GetDomainInfoList.NumDomains = count;
                return 0;
            case SysCtlCommand.ReadConsole:
                byte[] text = Encoding.ASCII.GetBytes(ConsoleText);
                uint start = call.ReadConsole.Incremental != 0 ? call.ReadConsole.Index : 0;
                int length = (int)Math.Min(call.ReadConsole.Count, (uint)text.Length - start);
                text.AsSpan((int)start, length).CopyTo(new Span<byte>((void*)call.ReadConsole.Buffer, length));
                call.ReadConsole.Count = (uint)length;
                call.ReadConsole.Index = start + (uint)length;
                ConsoleText = call.ReadConsole.Clear != 0 ? "" : ConsoleText;
                return 0;
            case SysCtlCommand.DebugKeys:
                KeysPressed += Encoding.ASCII.GetString((byte*)call.DebugKeys.Keys, (int)call.DebugKeys.NrKeys);
                return 0;
            case SysCtlCommand.CpuPoolOp:
                return 0;
            case SysCtlCommand.GetCpuPolicy:
                if (call.CpuPolicy.Leaves != 0)
                {
                    ((CpuIdLeaf*)call.CpuPolicy.Leaves)->Leaf = 0x1234;
                }

                call.CpuPolicy.NrLeaves = 3;
                call.CpuPolicy.NrMsrs = 1;
                return call.CpuPolicy.Index == (uint)CpuPolicyIndex.PvDefault ? 0 : -LibcErrno.Invalid;
            default:
                return -LibcErrno.NotImplemented;
        }
    }

    private int Run(ref MulticallEntry entry)
    {
        if (entry.Op != (ulong)HypercallNumber.MemoryOp)
        {
            return -LibcErrno.NotImplemented;
        }

        try
        {
            entry.Result = (ulong)RunMemory((MemoryCommand)entry.Args[0], (byte*)entry.Args[1]);
        }
        catch (XenException refused)
        {
            entry.Result = (ulong)-refused.Errno;
        }

        return 0;
    }

    private long RunMemory(MemoryCommand command, byte* argument)
    {
        Count($"memory_op {command}");
        switch (command)
        {
            case MemoryCommand.ClaimPages:
                MemoryReservation* claim = (MemoryReservation*)argument;
                Domain claimer = Domains[claim->Domid.Raw];
                if (claim->NrExtents > FreeFrames)
                {
                    return -LibcErrno.NoMemory;
                }

                claimer.Claim = claim->NrExtents;
                return 0;
            case MemoryCommand.PopulatePhysMap:
                return Populate((MemoryReservation*)argument);
            case MemoryCommand.SetMemoryMap:
                ForeignMemoryMap* map = (ForeignMemoryMap*)argument;
                E820Entry* entry = (E820Entry*)map->Map.Buffer;
                Domains[map->Domid.Raw].MapBytes = entry->Size;
                return map->Map.NrEntries == 1 && entry->Type == 1 && entry->Addr == 0 ? 0 : -LibcErrno.Invalid;
            case MemoryCommand.MaximumGpfn:
                byte[] sharedPage = Frame(Domains[*(ushort*)argument].SharedInfo);
                return (long)MemoryMarshal.Read<SharedInfo>(sharedPage).Arch.MaxPfn - 1;
            case MemoryCommand.GetSharingFreedPages or MemoryCommand.GetSharingSharedPages:
                return 0;
            default:
                return -LibcErrno.NotImplemented;
        }
    }

    private long Populate(MemoryReservation* reservation)
    {
        Domain domain = Domains[reservation->Domid.Raw];
        ulong pages = 1UL << (int)reservation->ExtentOrder;
        if (reservation->ExtentOrder > MaximumOrder)
        {
            return -LibcErrno.NotPermitted;
        }

        ulong* extents = (ulong*)reservation->ExtentStart;
        for (ulong done = 0; done < reservation->NrExtents; done++)
        {
            if (FreeFrames < pages || (((ulong)domain.Frames.Count + pages) * 4) > domain.MaximumKiB)
            {
                return (long)done;
            }

            // Single frames arrive in no order, as they do from a real allocator.
            ulong first = reservation->ExtentOrder == 0 ? _nextFrame ^ 1 : _nextFrame;
            _nextFrame += pages;
            FreeFrames -= pages;
            for (ulong page = 0; page < pages; page++)
            {
                _ = domain.Frames.Add(first + page);
            }

            extents[done] = first;
        }

        return (long)reservation->NrExtents;
    }

    private int AllocateUnbound(ref EventChannelAllocUnbound allocation)
    {
        Count("event_channel_op");
        if (!Domains.TryGetValue(allocation.Dom.Raw, out Domain? domain))
        {
            return -LibcErrno.NoSuchProcess;
        }

        allocation.Port = new EventPort(++domain.Ports);
        return 0;
    }

    private int Pin(ref MmuExtOp operation, ushort id)
    {
        Count("mmuext_op");
        Domain domain = Domains[id];
        int level = (int)operation.Cmd + 1;
        if (level > 4 || !TakeTable(domain, operation.Arg1Mfn, level)
            || !NoTableIsWritable(domain, operation.Arg1Mfn, level))
        {
            return -LibcErrno.Invalid;
        }

        domain.Tables[operation.Arg1Mfn] |= PageFrameInfo.LPinTab;
        return 0;
    }

    private bool TakeTable(Domain domain, ulong frame, int level)
    {
        if (!domain.Frames.Contains(frame) || _mapped.GetValueOrDefault(frame) > 0)
        {
            return false;
        }

        _ = domain.Pinned.Add(frame);
        _ = domain.Tables.TryAdd(frame, (uint)level << 28);
        foreach (ulong entry in MemoryMarshal.Cast<byte, ulong>(Frame(frame)))
        {
            bool isPresent = (entry & 1) != 0;
            if (isPresent && !(level > 1
                ? TakeTable(domain, entry >> 12, level - 1)
                : domain.Frames.Contains(entry >> 12)))
            {
                return false;
            }
        }

        return true;
    }

    private bool NoTableIsWritable(Domain domain, ulong root, int rootLevel)
    {
        HashSet<ulong> leaves = [];
        void Collect(ulong frame, int level)
        {
            foreach (ulong entry in MemoryMarshal.Cast<byte, ulong>(Frame(frame)))
            {
                if ((entry & 1) != 0 && level > 1)
                {
                    Collect(entry >> 12, level - 1);
                }
                else if ((entry & 3) == 3)
                {
                    _ = leaves.Add(entry >> 12);
                }
            }
        }

        Collect(root, rootLevel);
        return !leaves.Overlaps(domain.Pinned);
    }

    private int Version(VersionCommand command, byte* argument)
    {
        Count($"xen_version {command}");
        string? text = command switch
        {
            VersionCommand.ExtraVersion => ".7",
            VersionCommand.Capabilities => "xen-3.0-x86_64 ",
            VersionCommand.ChangeSet => "",
            VersionCommand.CommandLine => "console=com1",
            _ => null,
        };
        switch (command)
        {
            case VersionCommand.Version:
                return (4 << 16) | 17;
            case VersionCommand.PageSize:
                return 4096;
            case VersionCommand.PlatformParameters:
                ((PlatformParameters*)argument)->VirtStart = 0xffff800000000000;
                return 0;
            case VersionCommand.CompileInfo:
                Encoding.ASCII.GetBytes("gcc").CopyTo(new Span<byte>(((CompileInfo*)argument)->Compiler, 64));
                return 0;
            case VersionCommand.BuildId:
                "\x01\xab"u8[..1].CopyTo(new Span<byte>(argument + 4, 1));
                return 1;
            default:
                if (text is null)
                {
                    return -LibcErrno.NotImplemented;
                }

                Encoding.ASCII.GetBytes(text).CopyTo(new Span<byte>(argument, 16));
                return 0;
        }
    }
}
