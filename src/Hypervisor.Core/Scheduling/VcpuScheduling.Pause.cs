// SPDX-License-Identifier: MIT

using System.Threading;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>Keeps the vCPU from running until <see cref="Unpause"/>; pauses nest. It may run for a moment
    /// yet.</summary>
    public static void Pause(Vcpu* vcpu)
    {
        _ = Interlocked.Add(ref vcpu->PauseCount, 1);
        Sleep(vcpu);
    }

    public static void Unpause(Vcpu* vcpu)
    {
        int count = Interlocked.Add(ref vcpu->PauseCount, -1);
        if (count < 0)
        {
            Panic.Because("A vCPU was unpaused once too often"u8);
        }

        if (count == 0)
        {
            Wake(vcpu);
        }
    }

    /// <summary>As <see cref="Pause"/>, and waits until the vCPU is stopped.</summary>
    /// <remarks>Precondition: not the calling vCPU, and not one that may be waiting for the caller in the same way.
    /// Where either is possible, pause, and continue the hypercall until <see cref="IsStopped"/>.</remarks>
    public static void PauseSynchronously(Vcpu* vcpu)
    {
        Pause(vcpu);
        while (!IsStopped(vcpu))
        {
            Machine.SpinWait();
        }
    }

    /// <summary>The vCPU runs nowhere and its registers are in its <see cref="Vcpu"/>. Lasts while it is
    /// paused.</summary>
    public static bool IsStopped(Vcpu* vcpu) =>
        !vcpu->Sched.IsRunning && Volatile.Read(ref vcpu->LoadedOn) == Vcpu.NotLoaded;

    /// <summary>A condition of the whole domain has become worse.</summary>
    public static void SleepAll(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                Sleep(vcpu);
            }
        }
    }

    /// <summary>A condition of the whole domain has become better.</summary>
    public static void WakeAll(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                Wake(vcpu);
            }
        }
    }

    /// <summary>Pauses every vCPU of the domain, not waiting for any.</summary>
    public static void PauseAll(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                Pause(vcpu);
            }
        }
    }

    public static void UnpauseAll(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                Unpause(vcpu);
            }
        }
    }

    /// <summary>Every vCPU of the domain is stopped, as <see cref="IsStopped"/> says.</summary>
    public static bool AreAllStopped(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null && !IsStopped(vcpu))
            {
                return false;
            }
        }

        return true;
    }
}
