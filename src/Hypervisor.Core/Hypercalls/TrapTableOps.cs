// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercall set_trap_table: the virtual IDT.</summary>
public static unsafe class TrapTableOps
{
    /// <summary>Takes a list that ends with a null address; a null list clears the table.</summary>
    public static HypercallResult Set(Vcpu* vcpu, ulong list)
    {
        if (list == 0)
        {
            Machine.Zero(vcpu->Traps, 256 * (nuint)sizeof(TrapInfo));
            return Errno.Ok;
        }

        for (ulong index = 0; index <= 256; index++)
        {
            TrapInfo entry;
            if (!GuestMemory.ReadElement(list, index, &entry))
            {
                return Errno.Fault;
            }

            if (entry.Address == 0)
            {
                return Errno.Ok;
            }

            if (!GuestAddress.IsCode(entry.Address))
            {
                return Errno.Inval;
            }

            vcpu->Traps[entry.Vector] = entry;
        }

        return Errno.Inval;
    }
}
