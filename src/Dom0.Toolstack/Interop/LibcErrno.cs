// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Interop;

/// <summary>
/// Error numbers. Xen's (<c>xen/include/public/errno.h</c>) and Linux's x86-64 numbers agree wherever both have one.
/// </summary>
public static class LibcErrno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int NoSuchProcess = 3;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoDevice = 6;
    public const int TryAgain = 11;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int BadAddress = 14;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int Invalid = 22;
    public const int NoSpace = 28;
    public const int BrokenPipe = 32;
    public const int NotImplemented = 38;
    public const int NoData = 61;
    public const int NoBuffers = 105;
    public const int NotSupported = 95;
    public const int ConnectionRefused = 111;
    public const int Restart = 85;

    /// <summary>The number's name and meaning, such as <c>ESRCH (no such domain)</c>.</summary>
    public static string Describe(int errno) => errno switch
    {
        NotPermitted => "EPERM (not permitted)",
        NoEntry => "ENOENT (does not exist)",
        NoSuchProcess => "ESRCH (no such domain)",
        Interrupted => "EINTR (interrupted)",
        InputOutput => "EIO (input or output error)",
        NoDevice => "ENXIO (no such device or address)",
        7 => "E2BIG (too long)",
        40 => "ELOOP (a symbolic link, or too many of them)",
        9 => "EBADF (bad descriptor)",
        TryAgain => "EAGAIN (not now)",
        NoMemory => "ENOMEM (not enough memory)",
        AccessDenied => "EACCES (access denied)",
        BadAddress => "EFAULT (bad address)",
        Busy => "EBUSY (in use)",
        Exists => "EEXIST (exists already)",
        18 => "EXDEV (wrong kind of page)",
        19 => "ENODEV (no such device)",
        NotDirectory => "ENOTDIR (not a directory)",
        21 => "EISDIR (is a directory)",
        Invalid => "EINVAL (invalid argument)",
        25 => "ENOTTY (unknown to the driver)",
        NoSpace => "ENOSPC (no space left)",
        30 => "EROFS (read only)",
        BrokenPipe => "EPIPE (the other side is gone)",
        34 => "ERANGE (out of range)",
        35 => "EDEADLK (deadlock)",
        NotImplemented => "ENOSYS (not implemented)",
        39 => "ENOTEMPTY (not empty)",
        NoData => "ENODATA (no data)",
        75 => "EOVERFLOW (too large)",
        Restart => "ERESTART (to be continued)",
        NotSupported => "EOPNOTSUPP (not supported)",
        NoBuffers => "ENOBUFS (the buffer is too small)",
        106 => "EISCONN (connected already)",
        107 => "ENOTCONN (not connected)",
        110 => "ETIMEDOUT (timed out)",
        ConnectionRefused => "ECONNREFUSED (nobody listens)",
        _ => $"error {errno}",
    };
}
