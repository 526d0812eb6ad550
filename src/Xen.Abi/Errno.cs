// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>XEN_E*</c>: why a call failed. The values are positive here; a guest sees them negated in RAX.
/// </summary>
public enum Errno : int
{
    /// <summary><c>0</c>: done.</summary>
    Ok = 0,

    /// <summary><c>XEN_EPERM</c>: caller may not do this.</summary>
    Perm = 1,

    /// <summary><c>XEN_ENOENT</c>: no such object.</summary>
    NoEnt = 2,

    /// <summary><c>XEN_ESRCH</c>: no such domain.</summary>
    Srch = 3,

    /// <summary><c>XEN_EINTR</c>: never shown to a guest.</summary>
    Intr = 4,

    /// <summary><c>XEN_EIO</c>.</summary>
    Io = 5,

    /// <summary><c>XEN_ENXIO</c>: no such device.</summary>
    NxIo = 6,

    /// <summary><c>XEN_E2BIG</c>.</summary>
    TooBig = 7,

    /// <summary><c>XEN_ENOEXEC</c>.</summary>
    NoExec = 8,

    /// <summary><c>XEN_EBADF</c>.</summary>
    BadF = 9,

    /// <summary><c>XEN_ECHILD</c>.</summary>
    Child = 10,

    /// <summary><c>XEN_EAGAIN</c>, <c>XEN_EWOULDBLOCK</c>: the caller repeats the call.</summary>
    Again = 11,

    /// <summary><c>XEN_ENOMEM</c>.</summary>
    NoMem = 12,

    /// <summary><c>XEN_EACCES</c>: wrong interface version, among others.</summary>
    Access = 13,

    /// <summary><c>XEN_EFAULT</c>: guest memory cannot be read or written.</summary>
    Fault = 14,

    /// <summary><c>XEN_EBUSY</c>.</summary>
    Busy = 16,

    /// <summary><c>XEN_EEXIST</c>.</summary>
    Exist = 17,

    /// <summary><c>XEN_EXDEV</c>.</summary>
    XDev = 18,

    /// <summary><c>XEN_ENODEV</c>.</summary>
    NoDev = 19,

    /// <summary><c>XEN_ENOTDIR</c>.</summary>
    NotDir = 20,

    /// <summary><c>XEN_EISDIR</c>.</summary>
    IsDir = 21,

    /// <summary><c>XEN_EINVAL</c>.</summary>
    Inval = 22,

    /// <summary><c>XEN_ENFILE</c>.</summary>
    NFile = 23,

    /// <summary><c>XEN_EMFILE</c>.</summary>
    MFile = 24,

    /// <summary><c>XEN_ENOSPC</c>.</summary>
    NoSpace = 28,

    /// <summary><c>XEN_EROFS</c>.</summary>
    RoFs = 30,

    /// <summary><c>XEN_EMLINK</c>.</summary>
    MLink = 31,

    /// <summary><c>XEN_EDOM</c>.</summary>
    Dom = 33,

    /// <summary><c>XEN_ERANGE</c>.</summary>
    Range = 34,

    /// <summary><c>XEN_EDEADLK</c>, <c>XEN_EDEADLOCK</c>.</summary>
    DeadLock = 35,

    /// <summary><c>XEN_ENAMETOOLONG</c>.</summary>
    NameTooLong = 36,

    /// <summary><c>XEN_ENOLCK</c>.</summary>
    NoLock = 37,

    /// <summary><c>XEN_ENOSYS</c>: no such call or sub-operation.</summary>
    NoSys = 38,

    /// <summary><c>XEN_ENOTEMPTY</c>.</summary>
    NotEmpty = 39,

    /// <summary><c>XEN_ENODATA</c>.</summary>
    NoData = 61,

    /// <summary><c>XEN_ETIME</c>.</summary>
    Time = 62,

    /// <summary><c>XEN_EBADMSG</c>.</summary>
    BadMsg = 74,

    /// <summary><c>XEN_EOVERFLOW</c>.</summary>
    Overflow = 75,

    /// <summary><c>XEN_EILSEQ</c>.</summary>
    IlSeq = 84,

    /// <summary><c>XEN_ERESTART</c>: never shown to a guest: the call is continued by restarting it.</summary>
    Restart = 85,

    /// <summary><c>XEN_ENOTSOCK</c>.</summary>
    NotSock = 88,

    /// <summary><c>XEN_EMSGSIZE</c>.</summary>
    MsgSize = 90,

    /// <summary><c>XEN_EOPNOTSUPP</c>: sub-operation or option exists but is not supported.</summary>
    OpNotSupp = 95,

    /// <summary><c>XEN_EADDRINUSE</c>.</summary>
    AddrInUse = 98,

    /// <summary><c>XEN_EADDRNOTAVAIL</c>.</summary>
    AddrNotAvail = 99,

    /// <summary><c>XEN_ENOBUFS</c>.</summary>
    NoBufs = 105,

    /// <summary><c>XEN_EISCONN</c>.</summary>
    IsConn = 106,

    /// <summary><c>XEN_ENOTCONN</c>.</summary>
    NotConn = 107,

    /// <summary><c>XEN_ETIMEDOUT</c>.</summary>
    TimedOut = 110,

    /// <summary><c>XEN_ECONNREFUSED</c>.</summary>
    ConnRefused = 111,
}
