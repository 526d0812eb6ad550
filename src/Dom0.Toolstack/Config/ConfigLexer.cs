// SPDX-License-Identifier: MIT
//
// Two kinds of file reach this lexer: old xm files, which are Python scripts, and xl files, whose syntax is a subset of
// Python's except that the indentation of a top-level line means nothing there. One rule serves both: a deeper line
// opens a block only after a line that ended in a colon, and anywhere else at the top level indentation is ignored.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Dom0.Toolstack.Config;

/// <summary>Splits a configuration file into words, with lines and blocks as tokens of their own.</summary>
internal sealed class ConfigLexer
{
    private static readonly string[] s_operators =
    [
        "**", "//", "==", "!=", "<>", "<=", ">=", "+=", "-=", "<<", ">>",
        "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "/", "%", "<", ">", "@", "|", "&", "^", "~",
    ];

    private readonly string _source;
    private readonly string _file;
    private readonly List<ConfigToken> _tokens = [];
    private readonly Stack<int> _indents = new([0]);
    private int _at;
    private int _line = 1;
    private int _lineStart;
    private int _brackets;

    private ConfigLexer(string source, string file)
    {
        _source = source;
        _file = file;
    }

    /// <summary>All words of <paramref name="source"/>, ending with an <c>End</c>.</summary>
    public static List<ConfigToken> Split(string source, string file)
    {
        ConfigLexer lexer = new(source, file);
        lexer.Run();
        return lexer._tokens;
    }

    private SourcePosition Here => new(_file, _line, _at - _lineStart + 1);

    private char Current => Peek(0);

    private char Peek(int distance) => _at + distance < _source.Length ? _source[_at + distance] : '\0';

    private void Run()
    {
        if (Current == '\uFEFF')
        {
            _at++;
        }

        bool lineBegins = true;
        while (true)
        {
            if (lineBegins && _brackets == 0)
            {
                ReadIndentation();
                lineBegins = false;
            }

            SkipBlanks();
            if (_at >= _source.Length)
            {
                break;
            }

            SourcePosition start = Here;
            char c = Current;
            if (c == '\n')
            {
                if (_brackets == 0)
                {
                    Add(ConfigTokenKind.NewLine, "\n", start);
                    lineBegins = true;
                }

                NextLine();
            }
            else if (c == ';')
            {
                _at++;
                Add(ConfigTokenKind.NewLine, ";", start);
            }
            else if (char.IsAsciiDigit(c))
            {
                ReadNumber(start);
            }
            else if (c is '"' or '\'')
            {
                ReadText(start, isRaw: false);
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                ReadName(start);
            }
            else
            {
                ReadOperator(start);
            }
        }

        Add(ConfigTokenKind.NewLine, "\n", Here);
        for (; _indents.Peek() > 0; _ = _indents.Pop())
        {
            Add(ConfigTokenKind.Dedent, "", Here);
        }

        Add(ConfigTokenKind.End, "", Here);
    }

    private void Add(ConfigTokenKind kind, string text, SourcePosition position, long number = 0)
    {
        // Empty lines are no statements: one separator between two statements is enough.
        if (kind == ConfigTokenKind.NewLine &&
            (_tokens.Count == 0 || _tokens[^1].Kind is ConfigTokenKind.NewLine or ConfigTokenKind.Indent))
        {
            return;
        }

        _tokens.Add(new ConfigToken(kind, text, number, position));
    }

    private void NextLine()
    {
        _at++;
        _line++;
        _lineStart = _at;
    }

    private void ReadIndentation()
    {
        int width = 0;
        for (; Current is ' ' or '\t' or '\r' or '\f'; _at++)
        {
            width = Current switch { ' ' => width + 1, '\t' => (width / 8 * 8) + 8, _ => width };
        }

        if (Current is '\n' or '#' or '\0')
        {
            return;
        }

        bool afterColon = _tokens.Count > 1 && _tokens[^1].Kind == ConfigTokenKind.NewLine && _tokens[^2].Is(":");
        if (width > _indents.Peek())
        {
            if (afterColon)
            {
                _indents.Push(width);
                Add(ConfigTokenKind.Indent, "", Here);
            }
            else if (_indents.Count > 1)
            {
                throw new ConfigException(Here, "the line is indented more than its block");
            }

            return;
        }

        while (width < _indents.Peek() && _indents.Count > 1)
        {
            _ = _indents.Pop();
            Add(ConfigTokenKind.Dedent, "", Here);
        }

        if (width != _indents.Peek() && _indents.Count > 1)
        {
            throw new ConfigException(Here, "the line's indentation matches no open block");
        }
    }

    private void SkipBlanks()
    {
        while (true)
        {
            if (Current is ' ' or '\t' or '\r' or '\f')
            {
                _at++;
            }
            else if (Current == '#')
            {
                while (_at < _source.Length && Current != '\n')
                {
                    _at++;
                }
            }
            else if (Current == '\\' && (Peek(1) == '\n' || (Peek(1) == '\r' && Peek(2) == '\n')))
            {
                _at += Peek(1) == '\r' ? 2 : 1;
                NextLine();
            }
            else
            {
                return;
            }
        }
    }

    private void ReadName(SourcePosition start)
    {
        int begin = _at;
        while (char.IsAsciiLetterOrDigit(Current) || Current == '_')
        {
            _at++;
        }

        string name = _source[begin.._at];
        if (Current is '"' or '\'' && name is "r" or "R" or "u" or "U" or "b" or "B")
        {
            ReadText(start, isRaw: name is "r" or "R");
            return;
        }

        Add(ConfigTokenKind.Name, name, start);
    }

    private void ReadNumber(SourcePosition start)
    {
        int begin = _at;
        while (char.IsAsciiLetterOrDigit(Current))
        {
            _at++;
        }

        if (Current == '.' && char.IsAsciiDigit(Peek(1)))
        {
            throw new ConfigException(start, "numbers are whole numbers here", "Write the value without a fraction");
        }

        string digits = _source[begin.._at].TrimEnd('L', 'l');
        (int radix, int prefix) = digits switch
        {
            ['0', 'x' or 'X', ..] => (16, 2),
            ['0', 'o' or 'O', ..] => (8, 2),
            ['0', 'b' or 'B', ..] => (2, 2),
            ['0', _, ..] => (8, 1),
            _ => (10, 0),
        };

        long value = 0;
        foreach (char digit in digits.AsSpan()[prefix..])
        {
            int weight = char.IsAsciiHexDigit(digit) ? int.Parse([digit], NumberStyles.HexNumber, null) : radix;
            if (weight >= radix)
            {
                throw new ConfigException(start, $"'{_source[begin.._at]}' is not a number",
                    "Put quotes around a value that is text");
            }

            if (value > (long.MaxValue - weight) / radix)
            {
                throw new ConfigException(start, $"the number {digits} is too large");
            }

            value = (value * radix) + weight;
        }

        if (digits.Length == prefix)
        {
            throw new ConfigException(start, $"'{digits}' is not a number");
        }

        Add(ConfigTokenKind.Number, digits, start, value);
    }

    private void ReadText(SourcePosition start, bool isRaw)
    {
        char quote = Current;
        bool isTriple = Peek(1) == quote && Peek(2) == quote;
        _at += isTriple ? 3 : 1;
        StringBuilder text = new();
        while (true)
        {
            char c = Current;
            if (_at >= _source.Length || (c == '\n' && !isTriple))
            {
                throw new ConfigException(start, "the string that begins here does not end",
                    $"Close it with {(isTriple ? new string(quote, 3) : quote)} on "
                        + $"{(isTriple ? "a later" : "the same")} line");
            }

            if (c == quote && (!isTriple || (Peek(1) == quote && Peek(2) == quote)))
            {
                _at += isTriple ? 3 : 1;
                break;
            }

            if (c == '\\')
            {
                ReadEscape(text, isRaw);
            }
            else if (c == '\n')
            {
                _ = text.Append('\n');
                NextLine();
            }
            else
            {
                _ = text.Append(c);
                _at++;
            }
        }

        Add(ConfigTokenKind.Text, text.ToString(), start);
    }

    private void ReadEscape(StringBuilder text, bool isRaw)
    {
        char c = Peek(1);
        if (isRaw)
        {
            _ = text.Append('\\');
            _at++;
            if (c is not '\n' and not '\0')
            {
                _ = text.Append(c);
                _at++;
            }

            return;
        }

        if (c == '\n')
        {
            _at++;
            NextLine();
            return;
        }

        if (c is >= '0' and <= '7')
        {
            int value = 0;
            int digits = 0;
            for (_at++; digits < 3 && Current is >= '0' and <= '7'; digits++, _at++)
            {
                value = (value * 8) + (Current - '0');
            }

            _ = text.Append((char)value);
            return;
        }

        if (c == 'x' && char.IsAsciiHexDigit(Peek(2)) && char.IsAsciiHexDigit(Peek(3)))
        {
            _ = text.Append((char)int.Parse(_source.AsSpan(_at + 2, 2), NumberStyles.HexNumber, null));
            _at += 4;
            return;
        }

        char? plain = c switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'v' => '\v',
            '\\' or '\'' or '"' => c,
            _ => null,
        };
        if (plain is null)
        {
            // Python keeps the backslash of an escape that it does not know.
            _ = text.Append('\\');
            _at++;
            return;
        }

        _ = text.Append(plain.Value);
        _at += 2;
    }

    private void ReadOperator(SourcePosition start)
    {
        foreach (string candidate in s_operators)
        {
            if (string.CompareOrdinal(_source, _at, candidate, 0, candidate.Length) != 0)
            {
                continue;
            }

            _brackets += candidate switch
            {
                "(" or "[" or "{" => 1,
                ")" or "]" or "}" => _brackets > 0 ? -1 : 0,
                _ => 0,
            };
            _at += candidate.Length;
            Add(ConfigTokenKind.Operator, candidate, start);
            return;
        }

        throw new ConfigException(start, $"the character '{Current}' has no meaning here",
            "Put quotes around a value that is text");
    }
}
