// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Xunit;

namespace Toolchain.Tests;

/// <summary>tools/symbolise, which explains the addresses of a panic.</summary>
public sealed class SymboliseTests
{
    private const string Symbols = """
        0000000000200000 boot_entry
        ffff828000201000 First_Method
        ffff828000201040 Second_Method
        ffff828000201100 Third_Method

        """;

    [Theory]
    [InlineData("(XEN)   [ffff828000201045] Second.Method+0x5", "  <- Second_Method+0x5")]
    [InlineData("(XEN)   [ffff828000201040]", "  <- First_Method+0x40")]
    [InlineData("(XEN) RIP ffff828000201040 RSP ffff82a00002fc60", "  <- Second_Method+0x0")]
    [InlineData("(XEN)   [ffff8280002fffff]\r", "  <- Third_Method+0xfeeff")]
    [InlineData("(XEN)   [ffff82a000001000]", "")]
    [InlineData("an address of the image ffff828000201045 outside of brackets", "")]
    [InlineData("", "")]
    public void A_line_gets_the_method_of_its_address(string line, string added)
    {
        using TemporaryFolder folder = new();
        string log = folder.Write("log", line + "\n");
        _ = folder.Write("xen.sym", Symbols);
        (int status, string said) = ExternalTool.Run(
            "env", [$"XEN_ARTIFACTS={Path.GetDirectoryName(log)}", RepositoryFiles.Path("tools", "symbolise"), log]);
        Assert.Equal((0, line.TrimEnd('\r') + added + "\n"), (status, said));
    }

    [Fact]
    public void Without_the_symbols_of_the_image_it_says_what_is_missing()
    {
        using TemporaryFolder folder = new();
        string log = folder.Write("log", "nothing\n");
        (int status, string said) = ExternalTool.Run(
            "env", [$"XEN_ARTIFACTS={Path.GetDirectoryName(log)}", RepositoryFiles.Path("tools", "symbolise"), log]);
        Assert.Equal(2, status);
        Assert.Contains("xen.sym", said, StringComparison.Ordinal);
    }
}
