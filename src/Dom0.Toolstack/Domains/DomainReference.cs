// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Domains;

/// <summary>A domain's number and name.</summary>
public sealed record DomainReference(int Id, string Name);
