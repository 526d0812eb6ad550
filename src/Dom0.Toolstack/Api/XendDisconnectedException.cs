// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Api;

/// <summary>The connection to xend broke, so that what became of the last request is unknown; or there was none to make.</summary>
public sealed class XendDisconnectedException : ToolstackException
{
    /// <summary>Creates the error from its sentence.</summary>
    public XendDisconnectedException(string message, bool wasConnected)
        : base(message, "Look into xend's log (xm log), and see 'xend status'") => WasConnected = wasConnected;

    /// <summary>Was there a connection that broke?</summary>
    public bool WasConnected { get; }
}
