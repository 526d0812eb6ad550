// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;

namespace Dom0.Xend.Supervisor;

/// <summary>What <c>xend status</c> prints.</summary>
internal static class StatusReport
{
    /// <summary>Prints each process; the status is 0 when all that should run do.</summary>
    public static int Write(TextWriter output)
    {
        SupervisorState state = SupervisorState.Read(Places.SupervisorState);
        bool all = Line(output, "supervisor", RoleLock.Holder(Places.LockOf("supervisor")), null);
        foreach (string role in Roles.All)
        {
            RoleState? known = state.Roles.FirstOrDefault(entry => entry.Role == role);
            if (known is not null || role != Roles.Store)
            {
                all &= Line(output, role, RoleLock.Holder(Places.LockOf(role)), known);
            }
        }

        return all ? 0 : 1;
    }

    private static bool Line(TextWriter output, string role, int? process, RoleState? known)
    {
        string restarts = known is { Restarts: > 0 }
            ? $", restarted {known.Restarts} times; the last one {known.LastEnd}"
            : "";
        output.WriteLine(process is { } number
            ? $"{role.PadRight(10)} runs, process {number}{restarts}"
            : $"{role.PadRight(10)} does not run{restarts}");
        return process is not null;
    }
}
