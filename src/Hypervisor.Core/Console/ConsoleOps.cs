// SPDX-License-Identifier: MIT
// console_io: Domain-0's own console is the serial line, whose bytes pass as they are. Other domains have their
// consoles through Domain-0; the hypervisor's log is open to them only when the boot asks for it (micro guests,
// debugging). Locking: s_lock protects the lines of guests; it nests outside the consoles' lock.

using Xen.Abi;

namespace Hypervisor.Core.Console;

/// <summary>Bodies of <c>console_io</c>.</summary>
public static unsafe class ConsoleOps
{
    private const uint ChunkSize = 128;

    /// <summary>No more at a time, with interrupts off.</summary>
    private const uint BytesPerSlice = 4096;

    private static GuestLines s_lines;
    private static SpinLock s_lock;
    private static bool s_guestsMayWrite;
    private static bool s_guestsUnlimited;

    /// <summary>Opens the log to unprivileged domains, with or without a limit on how much they say.</summary>
    public static void AllowGuests(bool unlimited)
    {
        s_guestsMayWrite = true;
        s_guestsUnlimited = unlimited;
    }

    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, uint count, ulong buffer, CpuUserRegs* frame) =>
        (ConsoleIoCommand)command switch
        {
            ConsoleIoCommand.Write => Write(vcpu->Domain, command, count, buffer, frame),
            ConsoleIoCommand.Read => vcpu->Domain->IsPrivileged ? ConsoleInput.Read(buffer, count) : Errno.Perm,
            _ => Errno.NoSys,
        };

    /// <summary>Lets the unfinished line of a domain leave when it shuts down or dies.</summary>
    public static void Flush(Domain* domain)
    {
        s_lock.Acquire();
        s_lines.Flush(domain->Id, Clock());
        s_lock.Release();
        GuestMessages.Report(domain);
    }

    private static HypercallResult Write(
        Domain* domain, uint command, uint count, ulong buffer, CpuUserRegs* frame)
    {
        if (!domain->IsPrivileged && !s_guestsMayWrite)
        {
            return Errno.Perm;
        }

        byte* chunk = stackalloc byte[(int)ChunkSize];
        uint done = 0;
        while (done < count)
        {
            uint length = count - done < ChunkSize ? count - done : ChunkSize;
            if (domain->IsPrivileged && Machine.ConsoleRoom() < length)
            {
                // The line is slower than the writer, who waits: on its own time.
                return Continuation.With(frame, command, count - done, buffer + done);
            }

            if (!GuestMemory.Read(buffer + done, chunk, length))
            {
                return Errno.Fault;
            }

            if (domain->IsPrivileged)
            {
                Machine.WriteConsoleVerbatim(chunk, (int)length);
            }
            else
            {
                s_lock.Acquire();
                s_lines.Write(domain->Id, chunk, (int)length, Clock());
                s_lock.Release();
            }

            done += length;
            if (done < count && (Preemption.IsDue() || done >= BytesPerSlice))
            {
                return Continuation.With(frame, command, count - done, buffer + done);
            }
        }

        return Errno.Ok;
    }

    private static ulong Clock() => s_guestsUnlimited ? 0 : Machine.ReadTsc();
}
