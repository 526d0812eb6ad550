// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>CONSOLEIO_*</c>: command of console_io.</summary>
public enum ConsoleIoCommand : uint
{
    /// <summary><c>CONSOLEIO_write</c>.</summary>
    Write = 0,

    /// <summary><c>CONSOLEIO_read</c>.</summary>
    Read = 1,
}
