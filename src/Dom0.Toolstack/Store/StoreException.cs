// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Store;

/// <summary>The store's daemon refused a request.</summary>
public sealed class StoreException : ToolstackException
{
    /// <summary>Creates the error from the daemon's word for it.</summary>
    public StoreException(string error, StoreOperation operation, string path)
        : base($"xenstored refused {operation} of {path}: {error}") => Error = error;

    /// <summary>The error as the protocol spells it, such as <c>ENOENT</c>.</summary>
    public string Error { get; }
}

/// <summary>The connection to the store's daemon broke, and what became of the last request is unknown.</summary>
public sealed class StoreDisconnectedException : ToolstackException
{
    /// <summary>Creates the error from its sentence.</summary>
    public StoreDisconnectedException(string message)
        : base(message, "Check that the store's daemon runs (xend status)")
    {
    }
}
