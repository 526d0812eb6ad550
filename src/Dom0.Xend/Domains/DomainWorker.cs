// SPDX-License-Identifier: MIT
using System;
using System.Threading;
using Dom0.Toolstack;

namespace Dom0.Xend.Domains;

/// <summary>
/// Gives threads their turns at the domains. One thread looks after domains that stop; whoever asks for something does it
/// on a thread of his own, and so is done what a look finds to take its time.
/// </summary>
internal sealed class DomainWorker : IDisposable
{
    private readonly AutoResetEvent _isDue = new(true);
    private readonly ManualResetEvent _isRecovered = new(false);
    private readonly DomainManager _manager;
    private readonly Turn _turn;
    private readonly Action<string> _log;

    /// <summary>Works on <paramref name="manager"/>, which nobody else may touch, when it has the turn.</summary>
    public DomainWorker(DomainManager manager, Turn turn, Action<string> log)
    {
        _manager = manager;
        _turn = turn;
        _log = log;
    }

    /// <summary>Does something that a domain manager begins and that takes its time, on a thread of its own.</summary>
    public static void Begin(Turn turn, Action action) => new Thread(() => turn.Take(() =>
    {
        action();
        return true;
    }))
    { IsBackground = true, Name = "domain" }.Start();

    /// <summary>Starts the thread, which begins with recovery.</summary>
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "domains" }.Start();

    /// <summary>Asks for a check soon; many requests make one.</summary>
    public void RequestCheck() => _ = _isDue.Set();

    /// <summary>Runs something there; what came before this daemon was looked at by then.</summary>
    public T Run<T>(Func<DomainManager, T> work)
    {
        _ = _isRecovered.WaitOne();
        return _turn.Take(() => work(_manager));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDue.Dispose();
        _isRecovered.Dispose();
    }

    private void Loop()
    {
        bool isRecovered = false;
        while (_isDue.WaitOne())
        {
            try
            {
                _ = _turn.Take(() =>
                {
                    if (isRecovered)
                    {
                        _manager.Check();
                    }
                    else
                    {
                        _manager.Recover();
                    }

                    return true;
                });
            }
            catch (ToolstackException failure)
            {
                _log($"domains: {failure.Message}");
            }

            isRecovered = true;
            _ = _isRecovered.Set();
        }
    }
}
