// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;

namespace Xm.Cli;

/// <summary>Headings under which help and manual list the commands.</summary>
internal enum CommandGroup
{
    Domain,
    Managed,
    Query,
    Console,
    Memory,
    Cpu,
    Scheduler,
    Host,
    Device,
    Pool,
    Tool,
    Retired,
}

/// <summary>One row of the command table: all that dispatch, help, completion and manual pages need.</summary>
internal sealed record Command(
    string Name,
    CommandGroup Group,
    string Arguments,
    string Summary,
    Func<CommandContext, int>? Run)
{
    /// <summary>Options beside <c>--help</c> and <c>--json</c>, which every command has.</summary>
    public IReadOnlyList<CommandOption> Options { get; init; } = [];

    /// <summary>Earlier names, still accepted with a line that says so.</summary>
    public IReadOnlyList<string> FormerNames { get; init; } = [];

    /// <summary>Fewest arguments that make sense.</summary>
    public int Minimum { get; init; }

    /// <summary>Most arguments that make sense.</summary>
    public int Maximum { get; init; } = int.MaxValue;

    /// <summary>Completes "it needs …" for a command that does not work in this release.</summary>
    public string? Needs { get; init; }

    /// <summary>More than the summary says, for help and manual.</summary>
    public string? Details { get; init; }

    /// <summary>All options, the common ones last.</summary>
    public IEnumerable<CommandOption> AllOptions => Options.Concat(s_common);

    /// <summary>The line that shows how the command is written.</summary>
    public string Usage =>
        $"xm {Name}" + (Options.Count > 0 ? " [OPTIONS]" : "") + (Arguments.Length > 0 ? " " + Arguments : "");

    private static readonly CommandOption[] s_common =
    [
        new(null, "json", "print the result as JSON"),
        new('h', "help", "explain the command"),
    ];
}
