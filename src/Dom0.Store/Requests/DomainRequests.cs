// SPDX-License-Identifier: MIT
using System;
using Dom0.Store.Tree;
using Xen.Abi;

namespace Dom0.Store.Requests;

/// <summary>Requests about domains; all but the question for a path are for tools alone.</summary>
public static class DomainRequests
{
    /// <summary><c>XS_INTRODUCE</c>: domain, frame of its ring, port of its event channel.</summary>
    public static Answer Introduce(in Request request)
    {
        RequestBody body = new(request.Body);
        ushort domain = Domain(ref body);
        ulong frame = body.Number();
        uint port = (uint)body.Number(uint.MaxValue);
        return Check(request, body, domain) is { } refusal
            ? refusal
            : port == 0 ? StoreErrno.Invalid : request.State.Introduce(domain, frame, port);
    }

    /// <summary><c>XS_RELEASE</c>.</summary>
    public static Answer Release(in Request request)
    {
        RequestBody body = new(request.Body);
        ushort domain = Domain(ref body);
        return Check(request, body, domain) is { } refusal ? refusal : request.State.Release(domain);
    }

    /// <summary><c>XS_RESUME</c>: a domain that was shut down runs again, and its next end is to be told.</summary>
    public static Answer Resume(in Request request)
    {
        RequestBody body = new(request.Body);
        ushort domain = Domain(ref body);
        return Check(request, body, domain) is { } refusal ? refusal : request.State.Resume(domain);
    }

    /// <summary><c>XS_SET_TARGET</c>: the first domain gets the rights of the second.</summary>
    public static Answer SetTarget(in Request request)
    {
        RequestBody body = new(request.Body);
        ushort domain = Domain(ref body);
        ushort target = Domain(ref body);
        return Check(request, body, domain) is { } refusal
            ? refusal
            : target == 0 ? StoreErrno.Invalid : request.State.SetTarget(domain, target);
    }

    /// <summary><c>XS_GET_DOMAIN_PATH</c>.</summary>
    public static Answer GetPath(in Request request)
    {
        RequestBody body = new(request.Body);
        int domain = (int)body.Number(int.MaxValue);
        return body.IsAtEnd ? Answer.Of(NodePath.OfDomain(domain) + "\0") : StoreErrno.Invalid;
    }

    /// <summary><c>XS_IS_DOMAIN_INTRODUCED</c>.</summary>
    public static Answer IsIntroduced(in Request request)
    {
        RequestBody body = new(request.Body);
        ulong domain = body.Number(ushort.MaxValue);
        if (!request.Identity.IsPrivileged)
        {
            return StoreErrno.AccessDenied;
        }

        if (!body.IsAtEnd)
        {
            return StoreErrno.Invalid;
        }

        bool isKnown = domain == DomId.Self.Raw || request.State.IsIntroduced((ushort)domain);
        return Answer.Of(isKnown ? "T\0"u8 : "F\0"u8);
    }

    private static ushort Domain(ref RequestBody body) => (ushort)body.Number(NodePermissions.FirstReservedDomain - 1);

    /// <summary>The checks that all have in common; null when there is nothing to object to.</summary>
    private static StoreErrno? Check(in Request request, RequestBody body, ushort domain) =>
        !request.Identity.IsPrivileged ? StoreErrno.AccessDenied
        : body.IsBroken || domain == 0 ? StoreErrno.Invalid
        : null;
}
