// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>Hypercall grant_table_op: lists of requests, each with a status of its own.</summary>
public static unsafe class GrantTableOps
{
    /// <summary>Requests between two questions whether something else wants the CPU.</summary>
    private const uint Slice = 16;

    /// <summary>Unmaps that share a flush.</summary>
    private const uint UnmapBatch = 32;
    private const uint Version = 1;

    /// <param name="array">Guest address of <paramref name="count"/> structures.</param>
    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong array, uint count, CpuUserRegs* frame)
    {
        if ((int)count < 0)
        {
            return Errno.Inval;
        }

        // Statements rather than an expression: calls in return position become jumps. Most are copies.
        if (command == (uint)GrantTableCommand.Copy)
        {
            return Copy(vcpu, array, count, frame);
        }

        switch ((GrantTableCommand)command)
        {
            case GrantTableCommand.MapGrantRef:
                return Map(vcpu, array, count, frame);
            case GrantTableCommand.UnmapGrantRef:
                return Unmap(vcpu, array, count, frame);
            default:
                return Ask(vcpu->Domain, (GrantTableCommand)command, array, count);
        }
    }

    private static HypercallResult Ask(Domain* caller, GrantTableCommand command, ulong argument, uint count) =>
        command switch
        {
            GrantTableCommand.SetupTable => count == 1 ? SetupTable(caller, argument) : Errno.Inval,
            GrantTableCommand.QuerySize => count == 1 ? QuerySize(caller, argument) : Errno.Inval,
            GrantTableCommand.DumpTable => count == 1 ? DumpTable(caller, argument) : Errno.Inval,
            GrantTableCommand.SetVersion => count == 1 ? SetVersion(argument) : Errno.Inval,
            GrantTableCommand.GetVersion => count == 1 ? GetVersion(caller, argument) : Errno.Inval,
            _ => Errno.NoSys,
        };

    private static HypercallResult Map(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GranterCache granters = default;
        HypercallResult result = Errno.Ok;
        ulong address = array;
        for (uint left = count; left != 0; left--)
        {
            if (MustGiveWay(count, left))
            {
                result = Rest(GrantTableCommand.MapGrantRef, address, left, frame);
                break;
            }

            if (!GrantMap.RunOne(vcpu, address, ref granters))
            {
                result = Errno.Fault;
                break;
            }

            address += (uint)sizeof(GrantTableMapGrantRef);
        }

        granters.Clear();
        return result;
    }

    private static HypercallResult Unmap(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GrantUnmap batch = GrantUnmap.Begin();
        HypercallResult result = Errno.Ok;
        ulong address = array;
        for (uint left = count; left != 0; left--)
        {
            if (MustGiveWay(count, left))
            {
                result = Rest(GrantTableCommand.UnmapGrantRef, address, left, frame);
                break;
            }

            // What a batch lets go of after its flush cannot give way.
            if (left != count && ((count - left) & (UnmapBatch - 1)) == 0)
            {
                batch.Finish(vcpu->Domain);
                batch = GrantUnmap.Begin();
            }

            if (!batch.RunOne(vcpu, address))
            {
                result = Errno.Fault;
                break;
            }

            address += (uint)sizeof(GrantTableUnmapGrantRef);
        }

        batch.Finish(vcpu->Domain);
        return result;
    }

    private static HypercallResult Copy(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GranterCache sources = default;
        GranterCache targets = default;
        HypercallResult result = Errno.Ok;
        ulong address = array;
        for (uint left = count; left != 0; left--)
        {
            if (MustGiveWay(count, left))
            {
                result = Rest(GrantTableCommand.Copy, address, left, frame);
                break;
            }

            if (!GrantCopy.RunOne(vcpu->Domain, address, ref sources, ref targets))
            {
                result = Errno.Fault;
                break;
            }

            address += (uint)sizeof(GrantTableCopy);
        }

        sources.Clear();
        targets.Clear();
        return result;
    }

    private static bool MustGiveWay(uint count, uint left) =>
        left != count && ((count - left) & (Slice - 1)) == 0 && Preemption.IsDue();

    private static HypercallResult Rest(GrantTableCommand command, ulong address, uint count, CpuUserRegs* frame) =>
        Continuation.With(frame, (ulong)command, address, count);

    private static Errno SetupTable(Domain* caller, ulong argument)
    {
        GrantTableSetupTable request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        GrantStatus status = Resolve(caller, request.Dom, out Domain* domain);
        if (status == GrantStatus.Okay)
        {
            domain->Grants.Lock.Acquire();
            Errno error = GrantTable.Grow(domain, request.NrFrames);
            domain->Grants.Lock.Release();

            // The frames stay where they are for as long as the domain is.
            bool isListed = error == Errno.Ok;
            for (uint index = 0; index < request.NrFrames && isListed; index++)
            {
                ulong mfn = GrantTable.FrameAt(domain, index).Raw;
                isListed = GuestMemory.WriteElement(request.FrameList, index, &mfn);
            }

            status = error == Errno.NoMem ? GrantStatus.NoSpace
                : isListed ? GrantStatus.Okay
                : GrantStatus.GeneralError;
            TargetDomain.Put(caller, domain);
        }

        request.Status = (short)status;
        return GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
    }

    private static Errno QuerySize(Domain* caller, ulong argument)
    {
        GrantTableQuerySize request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        GrantStatus status = Resolve(caller, request.Dom, out Domain* domain);
        if (status == GrantStatus.Okay)
        {
            request.NrFrames = domain->Grants.FrameCount;
            request.MaxNrFrames = GrantTable.LimitOf(domain);
            TargetDomain.Put(caller, domain);
        }

        request.Status = (short)status;
        return GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
    }

    private static Errno DumpTable(Domain* caller, ulong argument)
    {
        GrantTableDumpTable request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        GrantStatus status = caller->IsPrivileged
            ? Resolve(caller, request.Dom, out Domain* domain)
            : Denied(out domain);
        if (status == GrantStatus.Okay)
        {
            GrantDump.Print(domain);
            TargetDomain.Put(caller, domain);
        }

        request.Status = (short)status;
        return GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>Version 1 is the only one; a kernel that hears so about version 2 goes on with it.</summary>
    private static Errno SetVersion(ulong argument)
    {
        GrantTableSetVersion request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        return request.Version switch
        {
            Version => Errno.Ok,
            2 => Errno.NoSys,
            _ => Errno.Inval,
        };
    }

    private static Errno GetVersion(Domain* caller, ulong argument)
    {
        GrantTableGetVersion request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = TargetDomain.Resolve(caller, request.Dom.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        TargetDomain.Put(caller, domain);
        request.Version = Version;
        return GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
    }

    private static GrantStatus Resolve(Domain* caller, DomId id, out Domain* domain) =>
        TargetDomain.Resolve(caller, id.Raw, out domain) switch
        {
            Errno.Ok => GrantStatus.Okay,
            Errno.Perm => GrantStatus.PermissionDenied,
            _ => GrantStatus.BadDomain,
        };

    private static GrantStatus Denied(out Domain* domain)
    {
        domain = null;
        return GrantStatus.PermissionDenied;
    }
}
