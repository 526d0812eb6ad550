// SPDX-License-Identifier: MIT
using System.IO;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Xunit;

namespace Xm.Cli.Tests;

/// <summary>What a terminal gets and a pipe does not.</summary>
public sealed class OutputTests
{
    private readonly StringWriter _errors = new() { NewLine = "\n" };

    /// <summary>A reader that has gone after some characters.</summary>
    private sealed class LeavingReader(int patience) : StringWriter
    {
        public override void Write(char value)
        {
            if (GetStringBuilder().Length >= patience)
            {
                throw new BrokenPipeException();
            }

            base.Write(value);
        }

        public override void WriteLine(string? value)
        {
            foreach (char letter in value + "\n")
            {
                Write(letter);
            }
        }
    }

    [Theory]
    [InlineData("help")]
    [InlineData("list")]
    [InlineData("list", "--json")]
    public void A_reader_that_has_seen_enough_ends_the_command_without_a_word(params string[] words)
    {
        XmHarness xm = new();
        _ = xm.Add(1, "web");
        using LeavingReader output = new(20);
        Assert.Equal(1, new Dispatcher(output, _errors, () => xm.Hypervisor, () => new StoreClient(xm.Store), () => null)
            .Run(words));
        Assert.Equal("", _errors.ToString());
    }

    [Fact]
    public void Steps_are_shown_in_one_line_that_is_gone_afterwards()
    {
        using (ProgressLine line = new(_errors, isTerminal: true))
        {
            line.Show("Creating web", new StepProgress("reading the kernel"));
            line.Show("Creating web", new StepProgress("taking memory", 0, 1000));
            line.Show("Creating web", new StepProgress("taking memory", 512, 1000));
            line.Show("Creating web", new StepProgress("taking memory", 1000, 1000));
        }

        // The second one of a step comes too soon to be seen, unless it is the last.
        Assert.Equal("\rCreating web: reading the kernel\rCreating web: taking memory,   0 %\rCreating web: taking memory, 100 %"
            + $"\r{new string(' ', 34)}\r", _errors.ToString());
    }

    [Fact]
    public void No_terminal_no_progress()
    {
        using (ProgressLine line = new(_errors, isTerminal: false))
        {
            line.Show("Creating web", new StepProgress("taking memory", 1000, 1000));
        }

        Assert.Equal("", _errors.ToString());
    }

    [Theory]
    [InlineData("Error: the domain 'a' does not exist", "\e[31mError:\e[0m the domain 'a' does not exist")]
    [InlineData("Warning: xend does not run", "\e[33mWarning:\e[0m xend does not run")]
    [InlineData("no Error: here", "no Error: here")]
    [InlineData("", "")]
    public void The_kind_of_a_complaint_has_a_colour(string plain, string coloured) =>
        Assert.Equal(coloured, ComplaintWriter.Coloured(plain));
}
