// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercall callback_op: where the guest kernel wants to be entered.</summary>
public static unsafe class CallbackOps
{
    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong argument)
    {
        switch ((CallbackCommand)command)
        {
            case CallbackCommand.Register:
                CallbackRegister register;
                return GuestMemory.Read(argument, &register) ? Register(vcpu, register) : Errno.Fault;
            case CallbackCommand.Unregister:
                CallbackUnregister unregister;
                if (!GuestMemory.Read(argument, &unregister, 4))
                {
                    return Errno.Fault;
                }

                return Unregister(vcpu, (CallbackType)unregister.Type);
            default:
                return Errno.NoSys;
        }
    }

    private static Errno Unregister(Vcpu* vcpu, CallbackType type)
    {
        switch (type)
        {
            case CallbackType.Nmi:
                vcpu->Traps[Vector.Nmi].Address = 0;
                return Errno.Ok;
            case CallbackType.Event:
            case CallbackType.Failsafe:
            case CallbackType.Syscall:
            case CallbackType.SysCall32:
            case CallbackType.SysEnter:
                return Errno.Inval;
            default:
                return Errno.NoSys;
        }
    }

    private static Errno Register(Vcpu* vcpu, in CallbackRegister register)
    {
        if (!GuestAddress.IsCode(register.Address))
        {
            return Errno.Inval;
        }

        bool masks = (register.Flags & CallbackFlags.MaskEvents) != 0;
        switch ((CallbackType)register.Type)
        {
            case CallbackType.Event:
                vcpu->EventCallback = register.Address;
                return Errno.Ok;
            case CallbackType.Failsafe:
                vcpu->FailsafeCallback = register.Address;
                vcpu->FailsafeMasksEvents = masks;
                return Errno.Ok;
            case CallbackType.Syscall:
                vcpu->SyscallCallback = register.Address;
                vcpu->SyscallMasksEvents = masks;
                return Errno.Ok;
            case CallbackType.SysCall32:
                vcpu->Syscall32Callback = register.Address;
                vcpu->Syscall32MasksEvents = masks;
                return Errno.Ok;
            case CallbackType.SysEnter:
                vcpu->SysenterCallback = register.Address;
                vcpu->SysenterMasksEvents = masks;
                return Errno.Ok;
            case CallbackType.Nmi:
                vcpu->Traps[Vector.Nmi].Vector = Vector.Nmi;
                vcpu->Traps[Vector.Nmi].Cs = Traps.GuestBounce.FlatKernelCs;
                vcpu->Traps[Vector.Nmi].Flags = 4;
                vcpu->Traps[Vector.Nmi].Address = register.Address;
                return Errno.Ok;
            case CallbackType.SysEnterDeprecated:
            default:
                return Errno.NoSys;
        }
    }
}
