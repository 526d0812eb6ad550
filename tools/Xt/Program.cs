// SPDX-License-Identifier: MIT
using System.CommandLine;
using Xt.Commands;
using Xt.Host;

namespace Xt;

/// <summary>The driver: everything that is done with this repository is one of its commands.</summary>
public static class Program
{
    private const int WrongUse = 2;

    public static int Main(string[] arguments)
    {
        RootCommand root = new(
            "Builds, boots and tests the hypervisor.\n\n"
            + "  tools/xt run      build, boot by GRUB in QEMU, root shell in Domain-0\n"
            + "  tools/xt test     all tests; the last line says how many passed, failed and were skipped\n\n"
            + "What the machine lacks (Debian packages) is installed, and said. Everything made is in artifacts/.")
        {
            RunCommand.Create(),
            TestCommand.Create(),
            BenchCommand.Create(),
            BuildCommand.Create(),
            BuildCommand.CreateIso(),
            BuildCommand.CreateClean(),
        };
        try
        {
            return root.Parse(arguments).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (XtException error)
        {
            Report.Error(error.Message, error.Remedy);
            return WrongUse;
        }
    }
}
