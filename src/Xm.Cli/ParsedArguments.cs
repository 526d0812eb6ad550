// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;

namespace Xm.Cli;

/// <summary>A command's words, sorted into options and arguments by what the command table says of it.</summary>
internal sealed class ParsedArguments
{
    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);
    private readonly List<string> _positional = [];

    private ParsedArguments()
    {
    }

    /// <summary>The words that are no options, in their order.</summary>
    public IReadOnlyList<string> Positional => _positional;

    /// <summary>Was the option given?</summary>
    public bool Has(string longName) => _options.ContainsKey(longName);

    /// <summary>The option's value, or null.</summary>
    public string? Value(string longName) => _options.GetValueOrDefault(longName);

    /// <summary>Sorts the words after the command's name.</summary>
    /// <exception cref="UsageException">
    /// An option is unknown or lacks its value, or there are too many or too few words.
    /// </exception>
    public static ParsedArguments Parse(Command command, IReadOnlyList<string> words)
    {
        ParsedArguments parsed = new();
        for (int at = 0; at < words.Count; at++)
        {
            string word = words[at];
            if (word == "--")
            {
                parsed._positional.AddRange(words.Skip(at + 1));
                break;
            }

            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                parsed.TakeLong(command, word, words, ref at);
            }
            else if (word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]))
            {
                parsed.TakeShort(command, word, words, ref at);
            }
            else
            {
                parsed._positional.Add(word);
            }
        }

        if (!parsed.Has("help") && command.Needs is null)
        {
            if (parsed._positional.Count < command.Minimum)
            {
                throw new UsageException($"{command.Name} wants more arguments: {command.Usage}");
            }

            if (parsed._positional.Count > command.Maximum)
            {
                throw new UsageException(
                    $"{command.Name} does not know what to do with '{parsed._positional[command.Maximum]}': "
                    + $"{command.Usage}");
            }
        }

        return parsed;
    }

    private void TakeLong(Command command, string word, IReadOnlyList<string> words, ref int at)
    {
        int equals = word.IndexOf('=');
        string name = equals < 0 ? word[2..] : word[2..equals];
        CommandOption option = command.AllOptions.FirstOrDefault(known => known.Long == name)
            ?? throw new UsageException($"{command.Name} has no option --{name}");
        if (option.Argument is null)
        {
            _options[name] = equals < 0 ? "" : throw new UsageException($"the option --{name} takes no value");
        }
        else
        {
            _options[name] = equals >= 0 ? word[(equals + 1)..] : TakeNext(word, words, ref at);
        }
    }

    private void TakeShort(Command command, string word, IReadOnlyList<string> words, ref int at)
    {
        for (int letter = 1; letter < word.Length; letter++)
        {
            CommandOption option = command.AllOptions.FirstOrDefault(known => known.Short == word[letter])
                ?? throw new UsageException($"{command.Name} has no option -{word[letter]}");
            if (option.Argument is null)
            {
                _options[option.Long] = "";
                continue;
            }

            _options[option.Long] = letter + 1 < word.Length
                ? word[(letter + 1)..].TrimStart('=')
                : TakeNext($"-{word[letter]}", words, ref at);
            return;
        }
    }

    private static string TakeNext(string option, IReadOnlyList<string> words, ref int at) =>
        ++at < words.Count ? words[at] : throw new UsageException($"the option {option} wants a value");
}
