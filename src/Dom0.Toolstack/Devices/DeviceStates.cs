// SPDX-License-Identifier: MIT
using System.Globalization;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>The states by which the two ends of a device tell each other how far they are.</summary>
public static class DeviceStates
{
    /// <summary>Made by the toolstack; the driver has not begun.</summary>
    public const int Initialising = 1;

    /// <summary>The back end waits for the front end.</summary>
    public const int InitWait = 2;

    /// <summary>In use.</summary>
    public const int Connected = 4;

    /// <summary>To be given up.</summary>
    public const int Closing = 5;

    /// <summary>Given up.</summary>
    public const int Closed = 6;

    /// <summary>The state of the end in a directory; 0 when there is none, or no number.</summary>
    public static int Read(StoreClient store, string directory, uint transaction = 0) =>
        int.TryParse(store.TryRead($"{directory}/state", transaction), NumberStyles.None, CultureInfo.InvariantCulture,
            out int state) && state <= 8 ? state : 0;

    /// <summary>A state in words.</summary>
    public static string Describe(int state) => state switch
    {
        Initialising => "1 (initialising)",
        InitWait => "2 (waits for the guest)",
        3 => "3 (initialised)",
        Connected => "4 (connected)",
        Closing => "5 (closing)",
        Closed => "6 (closed)",
        7 => "7 (reconfiguring)",
        8 => "8 (reconfigured)",
        _ => "0 (unknown)",
    };
}
