// SPDX-License-Identifier: MIT
//
// Keeps the processes of the daemon running. Each is its own program start: what goes wrong in one leaves the others
// standing, this supervisor included, and the other way round: a supervisor that is killed leaves its processes be, and
// the next one finds them by their locks and watches over them as over its own.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Supervisor;

/// <summary>Starts roles and starts them again.</summary>
internal sealed unsafe class RoleSupervisor
{
    private const int StopMilliseconds = 10_000;

    private readonly Action<string> _log;
    private readonly List<Role> _roles;
    private readonly FileDescriptor _stop =
        FileDescriptor.Own(Libc.EventDescriptor(0, Libc.EventNonBlocking | Libc.EventCloseOnExec));

    /// <summary>Supervises the given roles, in the order in which they are started.</summary>
    public RoleSupervisor(IReadOnlyList<string> roles, Action<string> log)
    {
        _log = log;
        _roles = [.. roles.Select(name => new Role(name))];
    }

    /// <summary>Runs until SIGTERM or SIGINT, then stops the roles in reverse order. Guests run on.</summary>
    public int Run()
    {
        using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, RequestStop);
        using PosixSignalRegistration interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, RequestStop);
        _log("supervises " + string.Join(", ", _roles.Select(role => role.Name)));
        while (true)
        {
            DateTimeOffset now = DateTimeOffset.UtcNow;
            foreach (Role role in _roles)
            {
                Tend(role, now);
            }

            Publish();
            if (Wait(now))
            {
                break;
            }
        }

        foreach (Role role in Enumerable.Reverse(_roles))
        {
            Stop(role);
        }

        _log("ends");
        return 0;
    }

    private void RequestStop(PosixSignalContext context)
    {
        context.Cancel = true;
        _ = _stop.Write(BitConverter.GetBytes(1UL));
    }

    /// <summary>Starts a role whose process is gone and whose wait is over, or takes over one that runs.</summary>
    private void Tend(Role role, DateTimeOffset now)
    {
        if (role.Process is { } process)
        {
            if (!process.WaitForEnd(0))
            {
                return;
            }

            TimeSpan wait = role.Ended(process.Collect(), now);
            _log($"{role.Name} {role.LastEnd}; it is started again in {wait.TotalSeconds:0.0} s");
        }

        if (now < role.StartAt)
        {
            return;
        }

        try
        {
            if (RoleLock.Holder(Places.LockOf(role.Name)) is { } holder)
            {
                // It runs since an earlier supervisor; without a number yet, the next round asks again.
                role.StartAt = now + TimeSpan.FromMilliseconds(200);
                if (holder > 0 && ProcessHandle.TryOpen(holder) is { } running)
                {
                    role.Began(running, now);
                    _log($"{role.Name} runs already, process {holder}");
                }
            }
            else
            {
                role.Began(ProcessHandle.Start(Environment.ProcessPath ?? "/proc/self/exe", role.Name), now);
                _log($"started {role.Name}, process {role.Process!.Number}");
            }
        }
        catch (ToolstackException failure)
        {
            _log($"{role.Name}: {failure.Message}");
            role.StartAt = now + TimeSpan.FromSeconds(1);
        }
    }

    /// <summary>Waits until something is due; true when it is the end.</summary>
    private bool Wait(DateTimeOffset now)
    {
        Libc.PollEntry* entries = stackalloc Libc.PollEntry[_roles.Count + 1];
        entries[0] = new() { Descriptor = _stop.Number, Events = Libc.PollIn };
        int limit = -1;
        for (int index = 0; index < _roles.Count; index++)
        {
            Role role = _roles[index];
            entries[index + 1] = new() { Descriptor = role.Process?.Descriptor ?? -1, Events = Libc.PollIn };
            if (role.Process is null)
            {
                int wait = (int)Math.Max((role.StartAt - now).TotalMilliseconds, 10);
                limit = limit < 0 ? wait : Math.Min(limit, wait);
            }
        }

        _ = Libc.Poll(entries, (nuint)(_roles.Count + 1), limit);
        return entries[0].Returned != 0;
    }

    private void Stop(Role role)
    {
        if (role.Process is not { } process)
        {
            return;
        }

        process.Signal(Libc.TerminateSignal);
        if (!process.WaitForEnd(StopMilliseconds))
        {
            _log($"{role.Name} does not end within {StopMilliseconds / 1000} s: it is killed");
            process.Signal(Libc.KillSignal);
            _ = process.WaitForEnd(StopMilliseconds);
        }

        _log($"{role.Name} {process.Collect()}");
    }

    private void Publish() =>
        new SupervisorState { Roles = [.. _roles.Select(role => role.State)] }.TryWrite(Places.SupervisorState);

    private sealed class Role(string name)
    {
        private Backoff _backoff;
        private DateTimeOffset _began;
        private int _starts;

        public string Name { get; } = name;

        public ProcessHandle? Process { get; private set; }

        public DateTimeOffset StartAt { get; set; }

        public string? LastEnd { get; private set; }

        public RoleState State => new()
        {
            Role = Name,
            Restarts = Math.Max(_starts - 1, 0),
            LastEnd = LastEnd,
            Since = Process is null ? null : _began,
        };

        public void Began(ProcessHandle process, DateTimeOffset now)
        {
            Process = process;
            _began = now;
            _starts++;
        }

        public TimeSpan Ended(string how, DateTimeOffset now)
        {
            LastEnd = how;
            Process!.Dispose();
            Process = null;
            TimeSpan wait = _backoff.After(now - _began);
            StartAt = now + wait;
            return wait;
        }
    }
}
