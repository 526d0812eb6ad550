// SPDX-License-Identifier: MIT
//
// A device is two directories in the store. The back end's stands below Domain-0's and is Domain-0's own: what is read
// there can be trusted. The front end's is the guest's, which may have written anything. Debian's tools keep a third,
// below /libxl, by which they find it.
using System.Globalization;

namespace Dom0.Toolstack.Devices;

/// <summary>Kinds of devices.</summary>
public enum DeviceKind
{
    /// <summary>A disk.</summary>
    Vbd,

    /// <summary>A network interface.</summary>
    Vif,
}

/// <summary>A guest's device: a disk by its number, a network interface by its handle.</summary>
public readonly record struct DeviceAddress(DeviceKind Kind, int Domain, int Index)
{
    /// <summary>The kind as the store spells it.</summary>
    public string KindName => NameOf(Kind);

    /// <summary>The back end's directory.</summary>
    public string Backend => $"{BackendsOf(Kind, Domain)}/{Text(Index)}";

    /// <summary>The front end's directory.</summary>
    public string Frontend => $"/local/domain/{Text(Domain)}/device/{KindName}/{Text(Index)}";

    /// <summary>The directory by which Debian's tools find it.</summary>
    public string Record => $"/libxl/{Text(Domain)}/device/{KindName}/{Text(Index)}";

    /// <summary>What the back end's driver complained about.</summary>
    public string BackendError => $"/local/domain/0/error/backend/{KindName}/{Text(Domain)}/{Text(Index)}";

    /// <summary>What the front end's driver complained about.</summary>
    public string FrontendError => $"/local/domain/{Text(Domain)}/error/device/{KindName}/{Text(Index)}";

    /// <summary>The kernel's name of the back end.</summary>
    public string KernelName => $"{KindName}-{Text(Domain)}-{Text(Index)}";

    /// <summary>The kernel's name of Domain-0's end of a network interface.</summary>
    public string InterfaceName => $"vif{Text(Domain)}.{Text(Index)}";

    /// <summary>Where the back ends of a domain stand.</summary>
    public static string BackendsOf(DeviceKind kind, int domain) => $"{BackendsOf(kind)}/{Text(domain)}";

    /// <summary>Where the back ends of all domains stand.</summary>
    public static string BackendsOf(DeviceKind kind) => $"/local/domain/0/backend/{NameOf(kind)}";

    private static string NameOf(DeviceKind kind) => kind == DeviceKind.Vbd ? "vbd" : "vif";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
