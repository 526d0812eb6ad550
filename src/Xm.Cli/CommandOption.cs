// SPDX-License-Identifier: MIT
namespace Xm.Cli;

/// <summary>An option of a command. <c>Argument</c> is its value's name in help texts; null for a switch.</summary>
internal sealed record CommandOption(char? Short, string Long, string Summary, string? Argument = null)
{
    /// <summary>Both spellings, as help texts give them.</summary>
    public string Spelling =>
        (Short is { } letter ? $"-{letter}, " : "    ") + $"--{Long}" + (Argument is null ? "" : $"={Argument}");
}
