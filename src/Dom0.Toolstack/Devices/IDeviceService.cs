// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Devices;

/// <summary>Who gives domains their devices and takes them back: this process, or another one.</summary>
public interface IDeviceService
{
    /// <summary>Gives a new domain, which is still paused, all that its configuration asks for.</summary>
    /// <exception cref="ToolstackException">
    /// A device cannot be had; <see cref="RemoveAll"/> takes back those that could.
    /// </exception>
    void AttachAll(int domain, DomainConfig config);

    /// <summary>
    /// Takes everything back from a domain that does not run any more; nothing there is no error. Returns sentences about
    /// back ends that did not end in time.
    /// </summary>
    IReadOnlyList<string> RemoveAll(int domain);
}
