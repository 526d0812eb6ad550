// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>The two page-table roots of a vCPU. Each holds a reference and a level-4 type reference on its frame.</summary>
public static unsafe class VcpuRoots
{
    /// <summary>Makes <paramref name="mfn"/> the kernel's root and loads it if the vCPU runs here.</summary>
    /// <returns>Inval: no valid level-4 table. Restart: gave way.</returns>
    public static Errno SetKernel(Vcpu* vcpu, Mfn mfn)
    {
        Domain* domain = vcpu->Domain;
        if (mfn == vcpu->KernelRoot)
        {
            TlbFlush.Local();
            return Errno.Ok;
        }

        domain->MmuLock.Acquire();
        Errno error = Take(domain, mfn);
        if (error == Errno.Ok)
        {
            Mfn old = vcpu->KernelRoot;
            vcpu->KernelRoot = mfn;
            vcpu->Cr3Kernel = mfn.Address;
            if (vcpu->InKernelMode && Machine.Cpu->Current == vcpu)
            {
                Load(vcpu->Cr3Kernel);
            }

            Drop(domain, old);
        }

        domain->MmuLock.Release();
        return error;
    }

    /// <summary>Makes <paramref name="mfn"/> the user's root; frame 0 takes it away.</summary>
    public static Errno SetUser(Vcpu* vcpu, Mfn mfn)
    {
        Domain* domain = vcpu->Domain;
        if (mfn == vcpu->UserRoot)
        {
            return Errno.Ok;
        }

        domain->MmuLock.Acquire();
        Errno error = mfn.Raw == 0 ? Errno.Ok : Take(domain, mfn);
        if (error == Errno.Ok)
        {
            Mfn old = vcpu->UserRoot;
            vcpu->UserRoot = mfn.Raw == 0 ? Mfn.None : mfn;
            vcpu->Cr3User = mfn.Address;
            Drop(domain, old);
        }

        domain->MmuLock.Release();
        return error;
    }

    /// <summary>Lets go of both roots of a vCPU that no CPU has loaded. False: gave way, call again.</summary>
    public static bool Release(Vcpu* vcpu)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        bool done = DropInSlices(domain, ref vcpu->KernelRoot) && DropInSlices(domain, ref vcpu->UserRoot);
        domain->MmuLock.Release();
        return done;
    }

    public static void Load(ulong cr3)
    {
        CpuInfo* cpu = Machine.Cpu;
        uint stamp = TlbFlush.Begin();
        cpu->Cr3 = cr3;
        Machine.WriteCr3(cr3);
        TlbFlush.End(cpu, stamp);
    }

    private static Errno Take(Domain* domain, Mfn mfn) => PageTables.Get(domain, mfn, 4) switch
    {
        TableResult.Done => Errno.Ok,
        TableResult.Preempted => Errno.Restart,
        _ => Errno.Inval,
    };

    private static void Drop(Domain* domain, Mfn root)
    {
        if (!root.IsNone && root.Raw != 0)
        {
            PageTables.PutOrPark((Vcpu*)Machine.Cpu->Current, domain, FrameTable.Page(root));
        }
    }

    private static bool DropInSlices(Domain* domain, ref Mfn root)
    {
        if (root.IsNone || root.Raw == 0)
        {
            return true;
        }

        if (PageTables.Put(domain, FrameTable.Page(root)) == TableResult.Preempted)
        {
            return false;
        }

        root = Mfn.None;
        return true;
    }
}
