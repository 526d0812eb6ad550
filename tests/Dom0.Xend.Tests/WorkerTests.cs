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
    private int _scripts;

    public WorkerTests()
    {
        _worker = new DomainWorker(_host.Manager, _host.Turn, _host.Note);
        _worker.Start();
        _host.Devices.Script = Hang;
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
        Task<DomainReference> destroyed = DestroyElsewhere("slow");
        Assert.Equal("quick", _worker.Run(manager => manager.Destroy("quick")).Name);
        Assert.False(slow.IsCompleted);

        // Whoever wants something of the domain itself waits, and finds what came of it: nothing is left.
        Assert.False(destroyed.IsCompleted);
        Assert.Equal(1, _scripts);
        _goesOn.Set();
        Assert.Contains("gave up", (await Assert.ThrowsAsync<ToolstackException>(() => slow.WaitAsync(s_patience))).Message);
        Assert.Contains("does not exist",
            (await Assert.ThrowsAsync<ToolstackException>(() => destroyed.WaitAsync(s_patience))).Message);
        Assert.Empty(_worker.Run(manager => manager.List()));
        Assert.Empty(_host.Guests);
    }

    private ScriptResult Hang(string script)
    {
        _ = Interlocked.Increment(ref _scripts);
        _hangs.Set();
        Assert.True(_goesOn.Wait(s_patience), script);
        return new ScriptResult(1, "gave up");
    }

    /// <summary>Destroys a domain on a thread of its own, which has come to where it waits when this returns.</summary>
    private Task<DomainReference> DestroyElsewhere(string name)
    {
        Thread? thread = null;
        Task<DomainReference> destroyed = Task.Factory.StartNew(
            () =>
            {
                thread = Thread.CurrentThread;
                return _worker.Run(manager => manager.Destroy(name));
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(SpinWait.SpinUntil(
            () => Volatile.Read(ref thread)?.ThreadState.HasFlag(ThreadState.WaitSleepJoin) ?? false, s_patience));
        return destroyed;
    }
}
