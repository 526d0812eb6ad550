// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Xend.Domains;

/// <summary>The consoles, as the keeper of domains needs them.</summary>
internal interface IConsoles
{
    /// <summary>
    /// Serves the console of a domain from now on; those who watch an earlier one of this identity stay. The result is the
    /// terminal at which other programs find it, for the store; null when there is none.
    /// </summary>
    string? Open(int domid, Guid uuid, string name, ulong ringFrame, uint port);

    /// <summary>
    /// Takes what the ring still holds, then lets go of ring and port: until that, the domain's memory cannot all be
    /// given back. With a <paramref name="notice"/>, those who watch are told; they stay if the domain comes again.
    /// </summary>
    void Close(int domid, string? notice, bool comesAgain);

    /// <summary>The domain of this number goes by another name or identity from now on.</summary>
    void Rename(int domid, Guid uuid, string name);

    /// <summary>Tells those who watch something, and ends their sessions; the console itself is served on.</summary>
    void Dismiss(int domid, string notice);

    /// <summary>Ends the sessions of those who wait for a domain that does not come again.</summary>
    void GiveUp(Guid uuid, string notice);
}
