// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Config;

internal enum ConfigTokenKind
{
    Name,
    Number,
    Text,
    Operator,
    NewLine,
    Indent,
    Dedent,
    End,
}

/// <summary>One word of a configuration file. <c>Text</c> is a string's value, not its spelling.</summary>
internal readonly record struct ConfigToken(ConfigTokenKind Kind, string Text, long Number, SourcePosition Position)
{
    public bool Is(string operatorOrKeyword) =>
        Kind is ConfigTokenKind.Operator or ConfigTokenKind.Name && Text == operatorOrKeyword;

    public string Description => Kind switch
    {
        ConfigTokenKind.NewLine => "the end of the line",
        ConfigTokenKind.Indent => "an indented line",
        ConfigTokenKind.Dedent => "the end of the block",
        ConfigTokenKind.End => "the end of the file",
        ConfigTokenKind.Text => "a string",
        ConfigTokenKind.Number => $"the number {Number}",
        _ => $"'{Text}'",
    };
}
