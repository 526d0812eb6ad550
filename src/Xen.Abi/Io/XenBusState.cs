// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>enum xenbus_state</c>: where a front end or a back end stands, as decimal text in the store.</summary>
public enum XenBusState : uint
{
    /// <summary><c>XenbusStateUnknown</c>.</summary>
    Unknown = 0,

    /// <summary><c>XenbusStateInitialising</c>.</summary>
    Initialising = 1,

    /// <summary><c>XenbusStateInitWait</c>: waits for the other side or for scripts.</summary>
    InitWait = 2,

    /// <summary><c>XenbusStateInitialised</c>: waits for the other side to connect.</summary>
    Initialised = 3,

    /// <summary><c>XenbusStateConnected</c>.</summary>
    Connected = 4,

    /// <summary><c>XenbusStateClosing</c>.</summary>
    Closing = 5,

    /// <summary><c>XenbusStateClosed</c>.</summary>
    Closed = 6,

    /// <summary><c>XenbusStateReconfiguring</c>.</summary>
    Reconfiguring = 7,

    /// <summary><c>XenbusStateReconfigured</c>.</summary>
    Reconfigured = 8,
}
