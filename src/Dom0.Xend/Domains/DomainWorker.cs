// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Dom0.Toolstack;

namespace Dom0.Xend.Domains;

/// <summary>The one thread on which domains are created, changed and destroyed, one thing after the other.</summary>
internal sealed class DomainWorker
{
    private readonly BlockingCollection<Action> _orders = [];
    private readonly DomainManager _manager;
    private readonly Action<string> _log;
    private int _checkIsDue;

    /// <summary>Works on <paramref name="manager"/>, which nobody else may touch.</summary>
    public DomainWorker(DomainManager manager, Action<string> log)
    {
        _manager = manager;
        _log = log;
    }

    /// <summary>Starts the thread, which begins with recovery.</summary>
    public void Start()
    {
        _orders.Add(_manager.Recover);
        new Thread(Loop) { IsBackground = true, Name = "domains" }.Start();
    }

    /// <summary>Asks for a check soon; many requests make one.</summary>
    public void RequestCheck()
    {
        if (Interlocked.Exchange(ref _checkIsDue, 1) == 0)
        {
            _orders.Add(() =>
            {
                _ = Interlocked.Exchange(ref _checkIsDue, 0);
                _manager.Check();
            });
        }
    }

    /// <summary>Runs something there and waits for what comes of it; its exception is thrown here.</summary>
    public T Run<T>(Func<DomainManager, T> work)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Add(() =>
        {
            try
            {
                answer.SetResult(work(_manager));
            }
            catch (Exception failure)
            {
                answer.SetException(failure);
            }
        });
        return answer.Task.GetAwaiter().GetResult();
    }

    private void Loop()
    {
        foreach (Action order in _orders.GetConsumingEnumerable())
        {
            try
            {
                order();
            }
            catch (ToolstackException failure)
            {
                _log($"domains: {failure.Message}");
            }
        }
    }
}
