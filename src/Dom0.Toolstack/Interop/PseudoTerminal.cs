// SPDX-License-Identifier: MIT
using System;
using System.Text;
using Dom0.Toolstack.Console;

namespace Dom0.Toolstack.Interop;

/// <summary>
/// A pseudo-terminal in raw mode, seen from its controlling side. Its other side is kept open as well: without that, the
/// controlling side would hang up whenever nobody is there.
/// </summary>
internal sealed unsafe class PseudoTerminal : IDisposable
{
    private readonly FileDescriptor _held;

    private PseudoTerminal(FileDescriptor controller, FileDescriptor held, string path)
    {
        Controller = controller;
        _held = held;
        Path = path;
    }

    /// <summary>The controlling side; reads and writes do not wait.</summary>
    public FileDescriptor Controller { get; }

    /// <summary>The file that others open.</summary>
    public string Path { get; }

    /// <summary>Makes one.</summary>
    /// <exception cref="ToolstackException">The kernel has none left, or /dev/pts is not mounted.</exception>
    public static PseudoTerminal Create()
    {
        FileDescriptor? controller = FileDescriptor.Open("/dev/ptmx", Libc.OpenNoControllingTerminal, out int errno);
        byte* name = stackalloc byte[64];
        if (controller is not null && Libc.GrantTerminal(controller.Number) == 0
            && Libc.UnlockTerminal(controller.Number) == 0 && Libc.TerminalName(controller.Number, name, 64) == 0)
        {
            string path = Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal
                .CreateReadOnlySpanFromNullTerminated(name));
            if (FileDescriptor.Open(path, Libc.OpenNoControllingTerminal, out errno) is { } held)
            {
                _ = Terminal.MakeRaw(held.Number);
                controller.SetNonBlocking();
                return new PseudoTerminal(controller, held, path);
            }
        }

        controller?.Dispose();
        throw new ToolstackException($"cannot make a pseudo-terminal: {LibcErrno.Describe(errno)}",
            "Check that /dev/pts is mounted");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held.Dispose();
        Controller.Dispose();
    }
}
