// SPDX-License-Identifier: MIT
// CPUs of one fake machine, each a thread, of which one runs at a time. At each step point (StepPoints) a random number
// decides whether another one goes on. So what happens depends on the seed alone, and can be had again.

using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Threading;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>Plays CPUs in turns that a seed decides.</summary>
internal sealed unsafe class LockStep
{
    /// <summary>Turns of CPUs that wait, without one that gets on, after which all wait for each other.</summary>
    private const int Patience = 200_000;

    [ThreadStatic]
    private static int s_cpu;

    private readonly FakeMachine _machine;
    private readonly SemaphoreSlim[] _turns;
    private readonly List<int> _running = [];
    private readonly Action _observe;
    private Random _random = new(0);
    private int _switchEvery = 1;
    private int _waits;
    private int _arrived;
    private int _meetings;
    private bool _isStanding;
    private ExceptionDispatchInfo _failure;

    /// <param name="machine">The machine of the running thread.</param>
    /// <param name="observe">Looks at the machine at each step, while it stands still.</param>
    public LockStep(FakeMachine machine, Action observe)
    {
        _machine = machine;
        _observe = observe;
        _turns = new SemaphoreSlim[machine.CpuCount];
        for (int cpu = 0; cpu < _turns.Length; cpu++)
        {
            _turns[cpu] = new SemaphoreSlim(0);
        }
    }

    /// <summary>Where each CPU was when another one failed.</summary>
    public List<string> Ends { get; } = [];

    /// <summary>Steps that were made.</summary>
    public long Steps { get; private set; }

    /// <summary>How often another CPU was let go on.</summary>
    public long Switches { get; private set; }

    /// <summary>From here on the turns follow from <paramref name="seed"/>: on average one of
    /// <paramref name="switchEvery"/> steps lets somebody else go on.</summary>
    public void Shuffle(int seed, int switchEvery)
    {
        _random = new Random(seed);
        _switchEvery = switchEvery;
    }

    /// <summary>Runs <paramref name="play"/> on every CPU; the first failure ends all and is thrown here.</summary>
    public void Run(Action<uint> play)
    {
        Thread[] threads = new Thread[_turns.Length];
        for (int cpu = 0; cpu < threads.Length; cpu++)
        {
            int number = cpu;
            _running.Add(cpu);
            threads[cpu] = new Thread(() => Live(number, play)) { IsBackground = true };
        }

        StepPoints.OnStep = Step;
        _machine.OnSpinWait = Wait;
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        _ = _turns[0].Release();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        StepPoints.OnStep = null;
        _machine.OnSpinWait = ServeAll;
        _failure?.Throw();
    }

    /// <summary>While one thread plays all: each CPU does what others want of it.</summary>
    private void ServeAll()
    {
        uint own = FakeMachine.Cpu.Number;
        for (uint cpu = 0; cpu < _machine.CpuCount; cpu++)
        {
            FakeMachine.RunOn(cpu);
            TlbFlush.Serve(Hypervisor.Machine.Cpu);
        }

        FakeMachine.RunOn(own);
    }

    /// <summary>Waits for all CPUs; the last to come does <paramref name="last"/> while the others stand.</summary>
    public void Meet(Action last)
    {
        int meeting = _meetings;
        if (++_arrived == _running.Count)
        {
            _isStanding = true;
            last();
            _isStanding = false;
            _arrived = 0;
            _meetings++;
        }

        while (_meetings == meeting)
        {
            Wait();
        }
    }

    /// <summary>The running CPU has got something done.</summary>
    public void Progress() => _waits = 0;

    /// <summary>The running CPU cannot go on before another one has done something.</summary>
    public void Wait()
    {
        if (_isStanding)
        {
            ServeAll();
            return;
        }

        TlbFlush.Serve(Hypervisor.Machine.Cpu);
        if (++_waits > Patience)
        {
            throw new HypervisorPanicException("All CPUs wait for each other");
        }

        Switch();
    }

    private void Step()
    {
        if (_isStanding)
        {
            return;
        }

        Steps++;
        _observe();
        if (_random.Next(_switchEvery) == 0)
        {
            Switch();
        }
    }

    private void Switch()
    {
        if (_running.Count < 2)
        {
            return;
        }

        int next = _running[_random.Next(_running.Count)];
        if (next != s_cpu)
        {
            Switches++;
            _ = _turns[next].Release();
            _turns[s_cpu].Wait();
        }

        if (_failure != null)
        {
            throw new OperationCanceledException();
        }
    }

    private void Live(int cpu, Action<uint> play)
    {
        s_cpu = cpu;
        _turns[cpu].Wait();
        try
        {
            if (_failure == null)
            {
                FakeMachine.Join(_machine, (uint)cpu);
                play((uint)cpu);
            }
        }
        catch (OperationCanceledException end)
        {
            // Another CPU has failed.
            Ends.Add($"CPU {cpu} was here:\n{end.StackTrace}");
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }

        _ = _running.Remove(cpu);
        if (_running.Count != 0)
        {
            _ = _turns[_running[0]].Release();
        }
    }
}
