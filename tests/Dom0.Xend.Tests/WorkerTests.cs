// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Dom0.Toolstack;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Xend.Domains;
using Xunit;

namespace Dom0.Xend.Tests;

/// <summary>Many threads ask at once, and one of them waits for something that hangs.</summary>
public sealed class WorkerTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly FakeHost _host = new();
    private readonly ManualResetEventSlim _hangs = new();
    private readonly ManualResetEventSlim _goesOn = new();
    private readonly DomainWorker _worker;

    public WorkerTests()
    {
        _worker = new DomainWorker(_host.Manager, _host.Turn, _host.Log.Add);
        _worker.Start();
        _host.Devices.Script = _ =>
        {
            _hangs.Set();
            Assert.True(_goesOn.Wait(s_patience));
            return new ScriptResult(1, "gave up");
        };
    }

    public void Dispose()
    {
        _goesOn.Set();
        _host.Dispose();
    }

    [Fact]
    public async Task A_script_that_hangs_keeps_no_other_domain_waiting()
    {
        Task<DomainReference> slow = Task.Run(() => _worker.Run(manager => manager.Create(
            FakeHost.Config("slow") with { Vifs = ["mac=00:16:3e:00:00:01, script=/slow"] }, paused: false)));
        Assert.True(_hangs.Wait(s_patience));
        Assert.Equal("building", _worker.Run(manager => manager.List()).Single().Phase);
        Assert.Contains("already", Assert.Throws<ToolstackException>(() => _worker.Run(
            manager => manager.Create(FakeHost.Config("slow"), paused: false))).Message);

        Assert.Equal("quick", _worker.Run(manager => manager.Create(FakeHost.Config("quick"), paused: false)).Name);
        _worker.RequestCheck();
        Task<DomainReference> destroyed = Task.Run(() => _worker.Run(manager => manager.Destroy("slow")));
        Assert.Equal("quick", _worker.Run(manager => manager.Destroy("quick")).Name);
        Assert.False(slow.IsCompleted);

        // Whoever wants something of the domain itself waits, and finds what came of it: nothing is left.
        Assert.False(destroyed.IsCompleted);
        _goesOn.Set();
        Assert.Contains("gave up", (await Assert.ThrowsAsync<ToolstackException>(() => slow.WaitAsync(s_patience))).Message);
        Assert.Contains("does not exist",
            (await Assert.ThrowsAsync<ToolstackException>(() => destroyed.WaitAsync(s_patience))).Message);
        Assert.Empty(_worker.Run(manager => manager.List()));
        Assert.Empty(_host.Guests);
    }
}
