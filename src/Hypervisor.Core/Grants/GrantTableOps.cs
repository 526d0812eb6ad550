// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>Hypercall grant_table_op: lists of requests, each with a status of its own.</summary>
public static unsafe class GrantTableOps
{
    /// <summary>Requests between two questions whether something else wants the CPU.</summary>
    private const uint Slice = 16;
    private const uint Version = 1;

    /// <param name="array">Guest address of <paramref name="count"/> structures.</param>
    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong array, uint count, CpuUserRegs* frame)
    {
        if ((int)count < 0)
        {
            return Errno.Inval;
        }

        return (GrantTableCommand)command switch
        {
            GrantTableCommand.MapGrantRef => Map(vcpu, array, count, frame),
            GrantTableCommand.UnmapGrantRef => Unmap(vcpu, array, count, frame),
            GrantTableCommand.Copy => Copy(vcpu, array, count, frame),
            GrantTableCommand.SetupTable => count == 1 ? SetupTable(vcpu->Domain, array) : Errno.Inval,
            GrantTableCommand.QuerySize => count == 1 ? QuerySize(vcpu->Domain, array) : Errno.Inval,
            GrantTableCommand.DumpTable => count == 1 ? DumpTable(vcpu->Domain, array) : Errno.Inval,
            GrantTableCommand.SetVersion => count == 1 ? SetVersion(array) : Errno.Inval,
            GrantTableCommand.GetVersion => count == 1 ? GetVersion(vcpu->Domain, array) : Errno.Inval,
            GrantTableCommand.Transfer => Errno.OpNotSupp,
            GrantTableCommand.UnmapAndReplace => Errno.OpNotSupp,
            GrantTableCommand.GetStatusFrames => Errno.OpNotSupp,
            GrantTableCommand.SwapGrantRef => Errno.OpNotSupp,
            GrantTableCommand.CacheFlush => Errno.OpNotSupp,
            _ => Errno.NoSys,
        };
    }

    private static HypercallResult Map(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GranterCache granters = default;
        HypercallResult result = Errno.Ok;
        for (uint done = 0; done < count; done++)
        {
            ulong address = array + ((ulong)done * (uint)sizeof(GrantTableMapGrantRef));
            if (MustGiveWay(done))
            {
                result = Rest(GrantTableCommand.MapGrantRef, address, count - done, frame);
                break;
            }

            if (!GrantMap.RunOne(vcpu, address, ref granters))
            {
                result = Errno.Fault;
                break;
            }
        }

        granters.Clear();
        return result;
    }

    private static HypercallResult Unmap(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GrantUnmap batch = GrantUnmap.Begin();
        HypercallResult result = Errno.Ok;
        for (uint done = 0; done < count; done++)
        {
            ulong address = array + ((ulong)done * (uint)sizeof(GrantTableUnmapGrantRef));
            if (MustGiveWay(done))
            {
                result = Rest(GrantTableCommand.UnmapGrantRef, address, count - done, frame);
                break;
            }

            if (!batch.RunOne(vcpu, address))
            {
                result = Errno.Fault;
                break;
            }
        }

        batch.Finish(vcpu->Domain);
        return result;
    }

    private static HypercallResult Copy(Vcpu* vcpu, ulong array, uint count, CpuUserRegs* frame)
    {
        GranterCache sources = default;
        GranterCache targets = default;
        HypercallResult result = Errno.Ok;
        for (uint done = 0; done < count; done++)
        {
            ulong address = array + ((ulong)done * (uint)sizeof(GrantTableCopy));
            if (MustGiveWay(done))
            {
                result = Rest(GrantTableCommand.Copy, address, count - done, frame);
                break;
            }

            if (!GrantCopy.RunOne(vcpu->Domain, address, ref sources, ref targets))
            {
                result = Errno.Fault;
                break;
            }
        }

        sources.Clear();
        targets.Clear();
        return result;
    }

    private static bool MustGiveWay(uint done) => done != 0 && (done & (Slice - 1)) == 0 && Preemption.IsDue();

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
