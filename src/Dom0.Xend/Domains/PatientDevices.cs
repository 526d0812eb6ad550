// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;

namespace Dom0.Xend.Domains;

/// <summary>A device service during whose work other domains have their turn.</summary>
internal sealed class PatientDevices(IDeviceService service, Turn turn) : IDeviceService
{
    /// <inheritdoc/>
    public void AttachAll(int domain, DomainConfig config) => _ = turn.GiveUpFor(() =>
    {
        service.AttachAll(domain, config);
        return true;
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> RemoveAll(int domain) => turn.GiveUpFor(() => service.RemoveAll(domain));
}
