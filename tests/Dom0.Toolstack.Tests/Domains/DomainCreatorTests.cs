// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Build;
using Dom0.Toolstack.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Domains;

public sealed class DomainCreatorTests : IDisposable
{
    private const ulong Pages = 4096 + 7;

    private readonly FakeHypervisor _fake = new();
    private readonly FakeStoreServer _server = new();
    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;

    public DomainCreatorTests()
    {
        _hypervisor = new Hypervisor(_fake);
        _store = new StoreClient(_server);
        _server.Put("/local/domain/0/name", "Domain-0");
    }

    public void Dispose() => _hypervisor.Dispose();

    private static DomainConfig Config() => new()
    {
        Name = "guest",
        Uuid = Guid.Parse("06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"),
        Kernel = "/boot/k",
        MemoryKib = Pages * 4,
        MaximumMemoryKib = Pages * 8,
        MaximumVcpus = 2,
        OnlineVcpus = [true, false],
        Affinity = [CpuSet.All, CpuSet.Parse("1")],
        Weight = 512,
        CommandLine = "console=hvc0",
    };

    private DomainReference Create(PvKernel? kernel = null, DomainConfig? config = null) =>
        new DomainCreator(_hypervisor, _store).Create(config ?? Config(), kernel ?? TestKernels.Modern(), [1, 2, 3]);

    private string? Node(string path) =>
        _server.Nodes.TryGetValue(path, out FakeStoreServer.Node? node) ? node.Value : null;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public unsafe void A_created_domain_could_run(bool isModern)
    {
        PvKernel kernel = isModern ? TestKernels.Modern() : TestKernels.Classic();
        DomainReference created = Create(kernel);
        Assert.Equal(new DomainReference(1, "guest"), created);
        FakeHypervisor.Domain domain = _fake.Domains[1];
        Assert.Equal(Config().Uuid, domain.Uuid);
        Assert.True(domain.IsPaused);
        Assert.Equal((int)Pages, domain.Frames.Count);
        Assert.Equal(0UL, domain.Claim);
        Assert.Equal((Pages * 8) + 1024, domain.MaximumKiB);
        Assert.Equal(Pages * 8 * 1024, domain.MapBytes);
        Assert.Equal(2u, domain.Vcpus);
        Assert.Equal(3u, domain.PolicyLeaves);
        Assert.Equal((512, 0), domain.Share);
        Assert.Equal(2, domain.Affinity[1][0]);
        Assert.False(domain.Affinity.ContainsKey(0));
        Assert.Equal(isModern, domain.HypercallPage == 0);
        Assert.Equal(kernel.Entry, domain.Context!.Value.UserRegs.Rip);
        Assert.All(MemoryMarshal.Cast<byte, VcpuInfo>(_fake.Frame(domain.SharedInfo))[..32].ToArray(),
            vcpu => Assert.Equal(1, vcpu.EventChannelUpcallMask));
    }

    [Fact]
    public void The_rings_in_start_info_grant_table_and_store_are_the_same()
    {
        _ = Create();
        FakeHypervisor.Domain domain = _fake.Domains[1];
        GrantEntryV1[] grants = MemoryMarshal.Cast<byte, GrantEntryV1>(domain.GrantTable)[..3].ToArray();
        (ulong storeFrame, uint storePort) = _server.Introduced[1];
        Assert.Equal(storeFrame, grants[1].Frame);
        Assert.Equal(1, grants[0].Flags);
        Assert.Equal(1, grants[1].Flags);
        Assert.Equal(0, grants[0].Domid.Raw);
        Assert.Equal(0, grants[2].Flags);
        Assert.Equal($"{storeFrame}", Node("/local/domain/1/store/ring-ref"));
        Assert.Equal($"{storePort}", Node("/local/domain/1/store/port"));
        Assert.Equal($"{grants[0].Frame}", Node("/local/domain/1/console/ring-ref"));
        byte[] startInfo = domain.Frames.Select(_fake.Frame).Single(
            page => Encoding.ASCII.GetString(page, 0, 14) == "xen-3.0-x86_64");
        StartInfo info = MemoryMarshal.Read<StartInfo>(startInfo);
        Assert.Equal(storeFrame, info.StoreMfn);
        Assert.Equal(storePort, info.StoreEventChannel);
        Assert.Equal(grants[0].Frame, info.ConsoleDomUMfn);
        Assert.Equal(Node("/local/domain/1/console/port"), $"{info.ConsoleDomUEventChannel}");
        Assert.Equal(domain.SharedInfo << 12, info.SharedInfo);
    }

    [Fact]
    public void The_store_has_what_guests_and_daemons_look_for()
    {
        _ = Create();
        Assert.Equal("guest", Node("/local/domain/1/name"));
        Assert.Equal("1", Node("/local/domain/1/domid"));
        Assert.Equal("/vm/06ed00fe-1162-4fc4-b5d8-11993ee4a8b9", Node("/local/domain/1/vm"));
        Assert.Equal("guest", Node("/vm/06ed00fe-1162-4fc4-b5d8-11993ee4a8b9/name"));
        Assert.Equal($"{Pages * 4}", Node("/local/domain/1/memory/target"));
        Assert.Equal($"{Pages * 8}", Node("/local/domain/1/memory/static-max"));
        Assert.Equal("online", Node("/local/domain/1/cpu/0/availability"));
        Assert.Equal("offline", Node("/local/domain/1/cpu/1/availability"));
        Assert.Equal("xenconsoled", Node("/local/domain/1/console/type"));
        Assert.Equal("pty", Node("/local/domain/1/console/output"));
        Assert.Equal("/local/domain/0/backend/console/1/0", Node("/local/domain/1/console/backend"));
        Assert.Equal("/local/domain/1/console", Node("/local/domain/0/backend/console/1/0/frontend"));
        Assert.Equal("pv", Node("/libxl/1/type"));
        Assert.Equal(["n0", "r1"], _server.Nodes["/local/domain/1"].Permissions);
        Assert.Equal(["n1"], _server.Nodes["/local/domain/1/control/shutdown"].Permissions);
        Assert.Equal(["n0"], _server.Nodes["/libxl/1/type"].Permissions);
    }

    [Fact]
    public void A_store_that_is_new_gets_the_first_domains_entries_and_an_old_one_keeps_its_own()
    {
        _server.Put("/local/domain/0/name", "renamed");
        StoreEntries.WriteDomain0(_store);
        Assert.Equal("renamed", Node("/local/domain/0/name"));
        Assert.Null(Node("/local/domain/0/domid"));
        Assert.Equal("Pool-0", Node("/local/pool/0/name"));
    }

    [Fact]
    public void Memory_comes_page_by_page_where_there_are_no_large_extents()
    {
        _fake.MaximumOrder = 0;
        _ = Create();
        Assert.Equal((int)Pages, _fake.Domains[1].Frames.Count);
    }

    [Fact]
    public void Whatever_hypercall_fails_nothing_is_left_behind()
    {
        int regions = _fake.LiveRegions;
        ulong free = _fake.FreeFrames;
        int failures = 0;
        int tolerated = 0;
        _ = Create();
        DomainDestroyer.Destroy(_hypervisor, _store, new DomainReference(1, "guest"));
        int nodes = _server.Nodes.Count;
        while (true)
        {
            _fake.FailAfter = failures;
            _fake.FailWith = LibcErrno.Invalid;
            try
            {
                DomainReference created = Create(TestKernels.Classic());
                if (_fake.FailAfter >= 0)
                {
                    break;
                }

                // The failure was one that the builder gets round, such as a refusal of large extents.
                tolerated++;
                DomainDestroyer.Destroy(_hypervisor, _store, created);
                failures++;
            }
            catch (ToolstackException refusal)
            {
                Assert.Contains("EINVAL", refusal.Message);
                Assert.Equal([0], _fake.Domains.Keys);
                Assert.Equal(free, _fake.FreeFrames);
                Assert.Equal(regions, _fake.LiveRegions);
                Assert.True(nodes == _server.Nodes.Count,
                    $"after call {failures}: {string.Join(' ', _server.Nodes.Keys)}");
                Assert.Empty(_server.Introduced);
                failures++;
                _fake.DestroySteps = 2;
            }
        }

        Assert.InRange(failures, 25, 100);
        Assert.Equal(1, tolerated);
        Assert.Equal(regions, _fake.LiveRegions);
    }

    [Fact]
    public void Whatever_request_to_the_store_fails_no_domain_is_left_behind()
    {
        ulong free = _fake.FreeFrames;
        int failures = 0;
        while (true)
        {
            _server.FailAfter = failures;
            try
            {
                _ = Create();
                break;
            }
            catch (ToolstackException)
            {
                Assert.Equal([0], _fake.Domains.Keys);
                Assert.Equal(free, _fake.FreeFrames);
                Assert.DoesNotContain(_server.Nodes.Keys, path => path.StartsWith("/vm/", StringComparison.Ordinal)
                    || path.StartsWith("/libxl/", StringComparison.Ordinal)
                    || (path.StartsWith("/local/domain/", StringComparison.Ordinal) && path[14] != '0'));
                failures++;
            }
        }

        Assert.InRange(failures, 50, 400);
    }

    [Fact]
    public void A_name_that_is_taken_is_refused_before_anything_is_created()
    {
        _ = Create();
        int calls = _fake.Calls.Count(call => call == "domctl CreateDomain");
        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => new DomainCreator(_hypervisor, _store).Create(Config() with { Kernel = "/does/not/exist" }));
        Assert.Contains("there is a domain 'guest' already, number 1", refusal.Message);
        Assert.Equal(calls, _fake.Calls.Count(call => call == "domctl CreateDomain"));
    }

    [Fact]
    public void A_file_that_is_missing_is_refused_before_anything_is_created()
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => new DomainCreator(_hypervisor, _store).Create(Config() with { Kernel = "/does/not/exist" }));
        Assert.Contains("kernel: cannot read /does/not/exist: it does not exist", refusal.Message);
        Assert.DoesNotContain("domctl CreateDomain", _fake.Calls);
    }

    [Fact]
    public void Too_little_free_memory_is_told_with_both_amounts()
    {
        _fake.FreeFrames = 2560;
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => Create());
        Assert.Contains("16 MiB are wanted and 10 MiB are free, 6 MiB too few; of 2048 MiB Domain-0 has 512",
            refusal.Message);
        Assert.Equal([0], _fake.Domains.Keys);
    }

    [Fact]
    public void Weights_under_a_scheduler_without_weights_are_refused()
    {
        _fake.Scheduler = SchedulerId.Null;
        Assert.Contains("has no weights", Assert.Throws<ToolstackException>(() => Create()).Message);
        _ = Create(config: Config() with { Weight = null });
    }

    [Fact]
    public void A_pool_that_does_not_exist_is_refused()
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => Create(config: Config() with { Pool = "fast" }));
        Assert.Contains("no CPU pool 'fast'", refusal.Message);
        Assert.Equal([0], _fake.Domains.Keys);
    }

    [Fact]
    public void A_destroyed_domain_leaves_neither_memory_nor_nodes()
    {
        int nodes = _server.Nodes.Count;
        ulong free = _fake.FreeFrames;
        DomainReference domain = Create();
        DomainDestroyer.Destroy(_hypervisor, _store, domain);
        Assert.Equal([0], _fake.Domains.Keys);
        Assert.Equal(free, _fake.FreeFrames);
        Assert.Equal(nodes, _server.Nodes.Count(pair => pair.Key is not ("/vm" or "/libxl"
            or "/local/domain/0/backend" or "/local/domain/0/backend/console")));
        Assert.Empty(_server.Introduced);
    }

    [Fact]
    public void Domain_0_is_never_destroyed()
    {
        Assert.Contains("Domain-0 cannot be destroyed", Assert.Throws<ToolstackException>(
            () => DomainDestroyer.Destroy(_hypervisor, _store, new DomainReference(0, "Domain-0"))).Message);
        Assert.DoesNotContain("domctl DestroyDomain", _fake.Calls);
        Assert.DoesNotContain("domctl PauseDomain", _fake.Calls);
    }
}
