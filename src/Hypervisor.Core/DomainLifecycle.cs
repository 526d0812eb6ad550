// SPDX-License-Identifier: MIT
// The end of a domain comes in two steps. First it is shut down (by itself, by a watchdog, by a crash): it is not
// scheduled any more, all else stays, so that the tools may look at it, save it or dump it. Then the tools destroy
// it.
//
// Destruction lets go of one kind of thing after the other; each stage works in slices and answers "again" when
// something else wants the CPU, so the tools' hypercall is simply made again until it is done:
//
//   stopped    dying from now on: no new memory, no new page tables; until every vCPU's registers are stored
//   events     ports closed
//   grants     mappings of other domains' frames dropped
//   vCPUs      roots, descriptor tables, registered records
//   tables     pins taken away, half-validated tables taken apart; with the last table goes the last mapping
//   frames     the owner's own reference of every frame dropped
//
// Frames that others have mapped outlive this. The domain stays in the table, dying, until the last of them is
// unmapped, since a frame names its owner by number. Hence two references to the structure: existence, dropped
// after the last stage, and memory, dropped with the last frame. Whoever drops the last reference of all frees the
// structure.
//
// Locking: the flags are changed under s_lock, which nests inside nothing and of which nothing is taken inside but
// the schedulers'.

using System;
using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Pausing, shutdown, crash and destruction of domains.</summary>
public static unsafe partial class DomainLifecycle
{
    private const uint MaxToolPauses = 255;

    private static SpinLock s_lock;

    /// <summary>
    /// The domain stops for <paramref name="reason"/> (<see cref="ShutdownReason"/>) and whoever handles
    /// VIRQ_DOM_EXC is told.
    /// The machine goes where Domain-0 goes.
    /// </summary>
    public static void Shutdown(Domain* domain, byte reason)
    {
        if (domain->Id == 0)
        {
            ShutdownMachine(reason);
            return;
        }

        s_lock.Acquire();
        bool first = !domain->IsShuttingDown;
        if (first)
        {
            domain->ShutdownCode = domain->ShutdownCode == NoShutdownCode ? reason : domain->ShutdownCode;
            domain->IsShuttingDown = true;
            domain->IsShutDown = true;
            VcpuScheduling.SleepAll(domain);
        }

        s_lock.Release();
        if (first)
        {
            TellTools();
        }
    }

    /// <summary>The next shutdown of the domain, whatever its reason, reports <paramref name="reason"/>.</summary>
    public static void LatchShutdownCode(Domain* domain, byte reason)
    {
        s_lock.Acquire();
        if (!domain->IsShuttingDown)
        {
            domain->ShutdownCode = reason;
        }

        s_lock.Release();
    }

    /// <summary>Undoes a shutdown (XEN_DOMCTL_resumedomain): the domain goes on where it stopped.</summary>
    public static void Resume(Domain* domain)
    {
        s_lock.Acquire();
        domain->IsShutDown = false;
        domain->IsShuttingDown = false;
        domain->ShutdownCode = NoShutdownCode;
        VcpuScheduling.WakeAll(domain);
        s_lock.Release();
    }

    /// <summary>The guest did what no guest may do, or cannot be told what happened to it.</summary>
    public static void Crash(Domain* domain, ReadOnlySpan<byte> reason)
    {
        if (domain->IsCrashed)
        {
            return;
        }

        domain->IsCrashed = true;
        Log.Error("Domain "u8).Decimal((uint)domain->Id).Text(" crashed: "u8).Text(reason).End();
        Shutdown(domain, (byte)ShutdownReason.Crash);
    }

    /// <summary>The tools stop the domain; as many <see cref="Unpause"/> let it go on.</summary>
    /// <returns>Inval: too many pauses.</returns>
    /// <remarks>Precondition: not the caller's own domain. Afterwards every vCPU's registers are stored.</remarks>
    public static Errno Pause(Domain* domain)
    {
        s_lock.Acquire();
        if (domain->ToolPauses == MaxToolPauses)
        {
            s_lock.Release();
            return Errno.Inval;
        }

        domain->ToolPauses++;
        domain->IsPausedByTools = true;
        VcpuScheduling.SleepAll(domain);
        s_lock.Release();
        while (!VcpuScheduling.AreAllStopped(domain))
        {
            Machine.SpinWait();
        }

        return Errno.Ok;
    }

    /// <returns>Inval: the tools have not paused it.</returns>
    public static Errno Unpause(Domain* domain)
    {
        s_lock.Acquire();
        Errno error = Errno.Inval;
        if (domain->ToolPauses != 0)
        {
            error = Errno.Ok;
            if (--domain->ToolPauses == 0)
            {
                domain->IsPausedByTools = false;
                domain->HasStarted = true;

                // A builder clears shared_info before it fills it; what the hypervisor had written there is written
                // again.
                for (uint id = 0; id < domain->MaxVcpuCount; id++)
                {
                    Vcpu* vcpu = domain->VcpuOf(id);
                    if (vcpu != null && vcpu->LoadedOn == Vcpu.NotLoaded)
                    {
                        Time.GuestTime.Publish(vcpu);
                    }
                }

                Time.Wallclock.Publish(domain);
                VcpuScheduling.WakeAll(domain);
            }
        }

        s_lock.Release();
        return error;
    }

    /// <summary>Whoever watches domains looks at them again (VIRQ_DOM_EXC).</summary>
    private static void TellTools() => Events.VirtualIrq.RaiseGlobal((uint)Xen.Abi.VirtualIrq.DomExc);

    private static void ShutdownMachine(byte reason)
    {
        switch ((ShutdownReason)reason)
        {
            case ShutdownReason.Poweroff:
                Log.Info("Domain-0 has shut down: power off"u8).End();
                Machine.PowerOff();
                break;
            case ShutdownReason.Reboot:
                Log.Info("Domain-0 has shut down: reboot"u8).End();
                Machine.Reboot();
                break;
            case ShutdownReason.Crash:
                Log.Error("Domain-0 has crashed"u8).End();
                Machine.EndAfterFailure();
                break;
            default:
                Log.Error("Domain-0 has ended with reason "u8).Decimal((uint)reason).Text(": reboot"u8).End();
                Machine.Reboot();
                break;
        }
    }
}
