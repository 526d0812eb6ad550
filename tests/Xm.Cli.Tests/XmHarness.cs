// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using Dom0.Toolstack;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;

namespace Xm.Cli.Tests;

/// <summary>Runs command lines of xm against a fake hypervisor and store.</summary>
internal sealed class XmHarness
{
    public XmHarness() => Store.Put("/local/domain/0/name", "Domain-0");

    public FakeHypervisor Hypervisor { get; } = new();

    public FakeStoreServer Store { get; } = new();

    public bool HasStore { get; set; } = true;

    public string Output { get; private set; } = "";

    public string Errors { get; private set; } = "";

    public int Run(params IReadOnlyList<string> words)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter errors = new() { NewLine = "\n" };
        int status = new Dispatcher(output, errors, () => Hypervisor,
            () => HasStore
                ? new StoreClient(Store)
                : throw new ToolstackException("cannot reach the store"),
            () => null).Run(words);
        Output = output.ToString();
        Errors = errors.ToString();
        return status;
    }

    /// <summary>Adds a domain with a name and two virtual CPUs.</summary>
    public FakeHypervisor.Domain Add(int id, string name)
    {
        FakeHypervisor.Domain domain = new()
        {
            Uuid = Guid.Parse("06ed00fe-1162-4fc4-b5d8-11993ee4a8b9"),
            VcpuLimit = 2,
            Vcpus = 2,
            IsPaused = false,
            MaximumKiB = 262144,
        };
        for (ulong frame = 0; frame < 32768; frame++)
        {
            _ = domain.Frames.Add(frame);
        }

        Hypervisor.Domains[id] = domain;
        Store.Put($"/local/domain/{id}/name", name);
        Store.Put($"/local/domain/{id}/memory/static-max", "262144");
        return domain;
    }
}
