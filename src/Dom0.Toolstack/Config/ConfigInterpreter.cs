// SPDX-License-Identifier: MIT
//
// Configuration files are data that happens to look like a program. They are never handed to an interpreter of a real
// language: this one knows no files, no processes and no loops, counts its steps, and bounds every string it makes, so
// the worst that a hostile file can do is to be refused.
//
// Variables that a file declares with xm_vars.var() and that the command line sets behave as in xm: the value arrives
// as text, the file's check function may turn it into something else, and the name then has the checked value.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Dom0.Toolstack.Config;

/// <summary>Evaluates the statements of a configuration file.</summary>
public sealed class ConfigInterpreter
{
    private const int MaximumSteps = 100_000;
    private const int MaximumDepth = 200;
    private const int MaximumText = 64 * 1024;
    private const long MaximumFile = 1024 * 1024;

    private readonly string _file;
    private readonly IReadOnlyDictionary<string, string> _arguments;
    private readonly Dictionary<string, ConfigValue> _globals = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly HashSet<string> _helpers = new(StringComparer.Ordinal);
    private readonly List<DeclaredVariable> _declared = [];
    private Dictionary<string, ConfigValue>? _locals;
    private ConfigValue? _result;
    private int _steps;
    private int _depth;

    private sealed record DeclaredVariable(string Name, string Use, ConfigValue? Check, SourcePosition Position);

    private ConfigInterpreter(string file, IReadOnlyDictionary<string, string> arguments)
    {
        _file = file;
        _arguments = arguments;
    }

    /// <summary>Reads and evaluates the file at <paramref name="path"/>.</summary>
    public static ConfigDocument EvaluateFile(string path, IReadOnlyDictionary<string, string> arguments)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > MaximumFile)
            {
                throw new ToolstackException($"{path} has {stream.Length} bytes, which no configuration needs",
                    "Check that the file is a domain's configuration and not, say, its disk");
            }

            using StreamReader reader = new(stream, Encoding.UTF8);
            return Evaluate(reader.ReadToEnd(), path, arguments);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ToolstackException($"cannot read the configuration file {path}: {failure.Message}", null,
                failure);
        }
    }

    /// <summary>
    /// Evaluates <paramref name="source"/>; <paramref name="arguments"/> are the command line's NAME=VALUE.
    /// </summary>
    public static ConfigDocument Evaluate(
        string source, string file, IReadOnlyDictionary<string, string> arguments)
    {
        if (source.Contains('\0'))
        {
            throw new ToolstackException($"{file} is not a text file",
                "Check that the file is a domain's configuration and not, say, its kernel");
        }

        ConfigInterpreter interpreter = new(file, arguments);
        interpreter.Run(ConfigParser.Parse(source, file));
        foreach ((string name, string text) in arguments)
        {
            // A declared variable keeps what its check made of it; every other argument has the last word over the
            // file.
            if (!interpreter._declared.Any(declared => declared.Name == name))
            {
                interpreter.SetGlobal(name, ReadArgument(name, text));
            }
        }

        return new ConfigDocument(file, interpreter._globals, interpreter._order, interpreter._helpers);
    }

    /// <summary>
    /// An argument's value is a list, a number or a quoted string if it looks like one, and text otherwise.
    /// </summary>
    private static ConfigValue ReadArgument(string name, string text)
    {
        SourcePosition position = SourcePosition.Argument(name);
        string trimmed = text.Trim();
        bool isLiteral = trimmed is ['[' or '"' or '\'', ..] ||
            (trimmed.Length is > 0 and < 18 && trimmed.All(char.IsAsciiDigit)
                && (trimmed[0] != '0' || trimmed.Length == 1));
        if (!isLiteral)
        {
            return new ConfigText(position, text);
        }

        ConfigInterpreter interpreter = new(position.File, new Dictionary<string, string>());
        return interpreter.Evaluate(ConfigParser.ParseExpression(trimmed, position.File)) with { Position = position };
    }

    private void SetGlobal(string name, ConfigValue value)
    {
        if (!_globals.ContainsKey(name))
        {
            _order.Add(name);
        }

        _globals[name] = value;
    }

    private void Step(SourcePosition position)
    {
        if (++_steps > MaximumSteps)
        {
            throw new ConfigException(position, $"the file needs more than {MaximumSteps} steps to evaluate");
        }
    }

    private void Enter(SourcePosition position)
    {
        if (++_depth > MaximumDepth)
        {
            throw new ConfigException(position,
                $"the expression or the calls are nested deeper than {MaximumDepth} levels");
        }
    }

    private void Run(IReadOnlyList<StatementSyntax> statements)
    {
        foreach (StatementSyntax statement in statements)
        {
            if (_result is not null)
            {
                return;
            }

            Step(statement.Position);
            Run(statement);
        }
    }

    private void Run(StatementSyntax statement)
    {
        switch (statement)
        {
            case AssignmentSyntax assignment:
                ConfigValue value = Evaluate(assignment.Value);
                if (assignment.IsAppend)
                {
                    value = Add(assignment.Position, Find(assignment.Position, assignment.Name), value);
                }

                Assign(assignment.Name, value);
                break;
            case ExpressionStatementSyntax expression:
                _ = Evaluate(expression.Expression);
                break;
            case ImportSyntax import:
                Import(import);
                break;
            case FunctionSyntax function:
                _globals[function.Name] = new ConfigFunction(function.Position, function.Name, function);
                break;
            case IfSyntax choice:
                Run(Evaluate(choice.Condition).IsTrue ? choice.WhenTrue : choice.WhenFalse);
                break;
            case ReturnSyntax { Value: null }:
                _result = new ConfigNone(statement.Position);
                break;
            case ReturnSyntax { Value: { } returned }:
                _result = Evaluate(returned);
                break;
            case RaiseSyntax raise:
                string reason = raise.Message is null ? raise.Name : Evaluate(raise.Message).Text;
                throw new ConfigException(raise.Position, $"the file refuses its own values: {reason}");
        }
    }

    private void Assign(string name, ConfigValue value)
    {
        if (_locals is not null)
        {
            _locals[name] = value;
        }
        else
        {
            SetGlobal(name, value);
        }
    }

    private void Import(ImportSyntax import)
    {
        string module = import.Module.Split('.')[0];
        if (module is not ("os" or "re" or "sys" or "string"))
        {
            throw new ConfigException(import.Position,
                $"the module '{import.Module}' is not available to configurations",
                "Only os.uname() and re.search() are understood; write other values out");
        }

        if (!import.BoundName.Equals("*", StringComparison.Ordinal))
        {
            _globals[import.BoundName] = new ConfigModule(import.Position, import.Module);
        }
    }

    private ConfigValue Find(SourcePosition position, string name)
    {
        if (_locals is not null && _locals.TryGetValue(name, out ConfigValue? local))
        {
            return local;
        }

        if (_globals.TryGetValue(name, out ConfigValue? global))
        {
            _ = _helpers.Add(name);
            return global;
        }

        if (_arguments.TryGetValue(name, out string? argument))
        {
            _ = _helpers.Add(name);
            return ReadArgument(name, argument);
        }

        return name switch
        {
            "int" or "str" or "len" or "bool" => new ConfigFunction(position, name, null),
            "xm_vars" or "vars" => new ConfigModule(position, "xm_vars"),
            _ => throw new ConfigException(position, $"the name '{name}' has no value here",
                $"Put quotes around it if it is text, or add {name}=VALUE to the command line"),
        };
    }

    private ConfigValue Evaluate(ExpressionSyntax expression)
    {
        Step(expression.Position);
        Enter(expression.Position);
        ConfigValue value = expression switch
        {
            LiteralSyntax literal => literal.Value,
            NameSyntax name => Find(name.Position, name.Name),
            ListSyntax list => new ConfigList(list.Position, [.. list.Items.Select(Evaluate)], list.IsTuple),
            UnarySyntax unary => EvaluateUnary(unary),
            BinarySyntax binary => EvaluateBinary(binary),
            ConditionalSyntax choice =>
                Evaluate(Evaluate(choice.Condition).IsTrue ? choice.WhenTrue : choice.WhenFalse),
            MemberSyntax member => EvaluateMember(member),
            IndexSyntax index => EvaluateIndex(index),
            CallSyntax call => EvaluateCall(call),
            _ => throw new InvalidOperationException(expression.GetType().Name),
        };
        _depth--;
        return value;
    }

    private static ConfigNumber Truth(SourcePosition position, bool value) =>
        new(position, value ? 1 : 0, IsBoolean: true);

    private static ConfigException Mismatch(BinarySyntax binary, ConfigValue left, ConfigValue right) =>
        new(binary.Position, $"'{binary.Operator}' does not apply to {left.Kind} and {right.Kind}");

    private ConfigValue EvaluateUnary(UnarySyntax unary)
    {
        ConfigValue operand = Evaluate(unary.Operand);
        return unary.Operator switch
        {
            "not" => Truth(unary.Position, !operand.IsTrue),
            _ when operand is ConfigNumber number =>
                new ConfigNumber(unary.Position, unary.Operator == "-" ? -number.Value : number.Value),
            _ => throw new ConfigException(unary.Position, $"'{unary.Operator}' does not apply to {operand.Kind}"),
        };
    }

    private ConfigValue EvaluateBinary(BinarySyntax binary)
    {
        ConfigValue left = Evaluate(binary.Left);
        if (binary.Operator is "and" or "or")
        {
            return left.IsTrue == (binary.Operator == "or") ? left : Evaluate(binary.Right);
        }

        ConfigValue right = Evaluate(binary.Right);
        SourcePosition position = binary.Position;
        switch (binary.Operator)
        {
            case "==":
                return Truth(position, AreEqual(left, right));
            case "!=":
                return Truth(position, !AreEqual(left, right));
            case "in":
                return Truth(position, Contains(binary, right, left));
            case "not in":
                return Truth(position, !Contains(binary, right, left));
            case "<" or "<=" or ">" or ">=":
                return Truth(position, Compare(binary, left, right));
            case "+":
                return Add(position, left, right);
            case "%" when left is ConfigText format:
                return new ConfigText(left.Position, Format(position, format.Value, right));
            case "*" when left is ConfigText text && right is ConfigNumber count:
                return Repeat(position, text.Value, count.Value);
        }

        if (left is not ConfigNumber a || right is not ConfigNumber b)
        {
            throw Mismatch(binary, left, right);
        }

        bool divides = binary.Operator is "/" or "//" or "%";
        if (divides && b.Value == 0)
        {
            throw new ConfigException(position, "division by zero");
        }

        try
        {
            long quotient = divides ? FloorDivide(a.Value, b.Value) : 0;
            return new ConfigNumber(position, binary.Operator switch
            {
                "-" => checked(a.Value - b.Value),
                "*" => checked(a.Value * b.Value),
                "/" or "//" => quotient,
                "%" => a.Value - (quotient * b.Value),
                _ => throw Mismatch(binary, left, right),
            });
        }
        catch (OverflowException)
        {
            throw new ConfigException(position, "the result does not fit into 64 bits");
        }
    }

    /// <summary>Python rounds towards minus infinity; C# towards zero.</summary>
    private static long FloorDivide(long a, long b)
    {
        long quotient = checked(a / b);
        return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
    }

    private static ConfigText Repeat(SourcePosition position, string text, long count)
    {
        if (count > 0 && text.Length > MaximumText / count)
        {
            throw new ConfigException(position, $"the string would have more than {MaximumText} characters");
        }

        return new ConfigText(position, new StringBuilder().Insert(0, text, (int)Math.Max(count, 0)).ToString());
    }

    private static ConfigValue Add(SourcePosition position, ConfigValue left, ConfigValue right)
    {
        switch (left, right)
        {
            case (ConfigText a, ConfigText b):
                if (a.Value.Length + b.Value.Length > MaximumText)
                {
                    throw new ConfigException(position, $"the string would have more than {MaximumText} characters");
                }

                return new ConfigText(a.Position, a.Value + b.Value);
            case (ConfigList a, ConfigList b):
                if (a.Items.Count + b.Items.Count > MaximumText)
                {
                    throw new ConfigException(position, $"the list would have more than {MaximumText} elements");
                }

                return new ConfigList(a.Position, [.. a.Items, .. b.Items], a.IsTuple);
            case (ConfigNumber a, ConfigNumber b) when
                !(b.Value > 0 ? a.Value > long.MaxValue - b.Value : a.Value < long.MinValue - b.Value):
                return new ConfigNumber(position, a.Value + b.Value);
            case (ConfigNumber, ConfigNumber):
                throw new ConfigException(position, "the result does not fit into 64 bits");
            default:
                throw new ConfigException(position, $"'+' does not join {left.Kind} and {right.Kind}",
                    left is ConfigText || right is ConfigText ? "Use str() to turn a number into text" : null);
        }
    }

    private static bool AreEqual(ConfigValue left, ConfigValue right) => (left, right) switch
    {
        (ConfigText a, ConfigText b) => a.Value == b.Value,
        (ConfigNumber a, ConfigNumber b) => a.Value == b.Value,
        (ConfigNone, ConfigNone) => true,
        (ConfigList a, ConfigList b) => a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(
            pair => AreEqual(pair.First, pair.Second)),
        _ => false,
    };

    private static bool Contains(BinarySyntax binary, ConfigValue container, ConfigValue item) =>
        (container, item) switch
        {
            (ConfigText text, ConfigText part) => text.Value.Contains(part.Value, StringComparison.Ordinal),
            (ConfigList list, _) => list.Items.Any(element => AreEqual(element, item)),
            _ => throw Mismatch(binary, item, container),
        };

    private static bool Compare(BinarySyntax binary, ConfigValue left, ConfigValue right)
    {
        int order = (left, right) switch
        {
            (ConfigNumber a, ConfigNumber b) => a.Value.CompareTo(b.Value),
            (ConfigText a, ConfigText b) => string.CompareOrdinal(a.Value, b.Value),
            _ => throw Mismatch(binary, left, right),
        };
        return binary.Operator switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static string Format(SourcePosition position, string format, ConfigValue argument)
    {
        IReadOnlyList<ConfigValue> values = argument is ConfigList { IsTuple: true } tuple ? tuple.Items : [argument];
        StringBuilder text = new();
        int used = 0;
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                _ = text.Append(format[at]);
                continue;
            }

            if (++at < format.Length && format[at] == '%')
            {
                _ = text.Append('%');
                continue;
            }

            int flags = at;
            while (at < format.Length && format[at] is '-' or '+' or ' ' or '#' or '0')
            {
                at++;
            }

            string flagText = format[flags..Math.Min(at, format.Length)];
            int width = 0;
            for (; at < format.Length && char.IsAsciiDigit(format[at]); at++)
            {
                width = Math.Min((width * 10) + (format[at] - '0'), MaximumText);
            }

            if (at >= format.Length)
            {
                throw new ConfigException(position, "the format string ends inside a '%' conversion",
                    "Write %% for a percent sign");
            }

            if (used >= values.Count)
            {
                throw new ConfigException(position, $"the format string wants more than {values.Count} value(s)");
            }

            ConfigValue value = values[used++];
            string piece = (format[at], value) switch
            {
                ('s', _) => value.Text,
                ('r', _) => value.Literal,
                ('d' or 'i' or 'u', ConfigNumber number) => number.Value.ToString(CultureInfo.InvariantCulture),
                ('x', ConfigNumber number) => number.Value.ToString("x", CultureInfo.InvariantCulture),
                ('X', ConfigNumber number) => number.Value.ToString("X", CultureInfo.InvariantCulture),
                ('o', ConfigNumber number) => Convert.ToString(number.Value, 8),
                ('d' or 'i' or 'u' or 'x' or 'X' or 'o', _) => throw new ConfigException(position,
                    $"%{format[at]} wants a number, and value {used} is {value.Kind}", "Use int() or %s"),
                _ => throw new ConfigException(position, $"the conversion %{format[at]} is not understood",
                    "Use %s, %d or %x"),
            };
            bool padsWithZeros = flagText.Contains('0') && !flagText.Contains('-') && format[at] is not 's' and not 'r';
            _ = text.Append(flagText.Contains('-') ? piece.PadRight(width)
                : padsWithZeros && piece.StartsWith('-') ? "-" + piece[1..].PadLeft(Math.Max(width - 1, 0), '0')
                : piece.PadLeft(width, padsWithZeros ? '0' : ' '));
            if (text.Length > MaximumText)
            {
                throw new ConfigException(position, $"the string would have more than {MaximumText} characters");
            }
        }

        return used == values.Count
            ? text.ToString()
            : throw new ConfigException(position, $"the format string uses {used} of {values.Count} values");
    }

    private ConfigModule EvaluateMember(MemberSyntax member)
    {
        ConfigValue target = Evaluate(member.Target);
        return target is ConfigModule module
            ? new ConfigModule(member.Position, $"{module.Name}.{member.Name}")
            : throw new ConfigException(member.Position, $"{target.Kind} has no member '{member.Name}' here");
    }

    private ConfigValue EvaluateIndex(IndexSyntax syntax)
    {
        ConfigValue target = Evaluate(syntax.Target);
        if (Evaluate(syntax.Index) is not ConfigNumber index)
        {
            throw new ConfigException(syntax.Index.Position, "an index is a number");
        }

        int count = target switch
        {
            ConfigList list => list.Items.Count,
            ConfigText text => text.Value.Length,
            _ => throw new ConfigException(syntax.Position, $"{target.Kind} has no elements"),
        };
        long at = index.Value < 0 ? index.Value + count : index.Value;
        if (at < 0 || at >= count)
        {
            throw new ConfigException(syntax.Index.Position, $"there is no element {index.Value} among {count}");
        }

        return target is ConfigList elements
            ? elements.Items[(int)at]
            : new ConfigText(syntax.Position, ((ConfigText)target).Value[(int)at].ToString());
    }

    private ConfigValue EvaluateCall(CallSyntax call)
    {
        ConfigValue target = Evaluate(call.Function);
        List<(string? Name, ConfigValue Value)> arguments =
            [.. call.Arguments.Select(argument => (argument.Name, Evaluate(argument.Value)))];
        return target switch
        {
            ConfigFunction { Definition: { } definition } => CallDefined(call.Position, definition, arguments),
            ConfigFunction builtin => CallBuiltin(call.Position, builtin.Name, arguments),
            ConfigModule member => CallMember(call.Position, member.Name, arguments),
            _ => throw new ConfigException(call.Position, $"{target.Kind} cannot be called"),
        };
    }

    private ConfigValue CallDefined(
        SourcePosition position, FunctionSyntax function, List<(string? Name, ConfigValue Value)> arguments)
    {
        Dictionary<string, ConfigValue> locals = new(StringComparer.Ordinal);
        int positional = 0;
        foreach ((string? name, ConfigValue value) in arguments)
        {
            string? parameter = name ??
                (positional < function.Parameters.Count ? function.Parameters[positional++].Name : null);
            if (parameter is null || function.Parameters.All(known => known.Name != parameter) ||
                !locals.TryAdd(parameter, value))
            {
                throw new ConfigException(position,
                    $"{function.Name}() takes {function.Parameters.Count} argument(s), not these");
            }
        }

        foreach (ParameterSyntax parameter in function.Parameters)
        {
            if (!locals.ContainsKey(parameter.Name))
            {
                locals[parameter.Name] = parameter.Default is { } standard
                    ? Evaluate(standard)
                    : throw new ConfigException(position, $"{function.Name}() lacks its argument '{parameter.Name}'");
            }
        }

        Dictionary<string, ConfigValue>? outer = _locals;
        _locals = locals;
        Enter(position);
        Run(function.Body);
        _depth--;
        _locals = outer;
        ConfigValue result = _result ?? new ConfigNone(position);
        _result = null;
        return result;
    }

    private static ConfigValue CallBuiltin(
        SourcePosition position, string name, List<(string? Name, ConfigValue Value)> arguments)
    {
        if (arguments.Count != 1)
        {
            throw new ConfigException(position, $"{name}() takes one argument");
        }

        ConfigValue value = arguments[0].Value;
        return (name, value) switch
        {
            ("str", _) => new ConfigText(position, value.Text),
            ("bool", _) => Truth(position, value.IsTrue),
            ("int", ConfigNumber number) => new ConfigNumber(position, number.Value),
            ("int", ConfigText text) => long.TryParse(text.Value.Trim(), NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture, out long number)
                ? new ConfigNumber(position, number)
                : throw new ConfigException(position, $"'{text.Value}' is not a whole number"),
            ("len", ConfigText text) => new ConfigNumber(position, text.Value.Length),
            ("len", ConfigList list) => new ConfigNumber(position, list.Items.Count),
            _ => throw new ConfigException(position, $"{name}() does not apply to {value.Kind}"),
        };
    }

    private ConfigValue CallMember(
        SourcePosition position, string name, List<(string? Name, ConfigValue Value)> arguments)
    {
        switch (name)
        {
            case "xm_vars.var":
                Declare(position, arguments);
                return new ConfigNone(position);
            case "xm_vars.check":
                CheckDeclared();
                return new ConfigNone(position);
            case "os.uname" when arguments.Count == 0:
                string release = TryRead("/proc/sys/kernel/osrelease");
                string[] names = ["Linux", Environment.MachineName, release, TryRead("/proc/sys/kernel/version"),
                    "x86_64"];
                return new ConfigList(position, [.. names.Select(text => new ConfigText(position, text))],
                    IsTuple: true);
            case "re.search" or "re.match" when arguments is [(_, ConfigText pattern), (_, ConfigText text)]:
                if (pattern.Value.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not '_' and not '-' and not ' '))
                {
                    throw new ConfigException(position, "only plain words can be searched for",
                        "Write the value out instead of computing it");
                }

                bool found = name == "re.match"
                    ? text.Value.StartsWith(pattern.Value, StringComparison.Ordinal)
                    : text.Value.Contains(pattern.Value, StringComparison.Ordinal);
                return found ? Truth(position, true) : new ConfigNone(position);
            default:
                throw new ConfigException(position, $"{name}() is not available to configurations",
                    "Write the value out");
        }
    }

    private static string TryRead(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";

    private void Declare(SourcePosition position, List<(string? Name, ConfigValue Value)> arguments)
    {
        ConfigValue? Argument(string name, int index) =>
            arguments.FirstOrDefault(argument => argument.Name == name).Value ??
            (index < arguments.Count && arguments[index].Name is null ? arguments[index].Value : null);

        if (Argument("name", 0) is not ConfigText variable)
        {
            throw new ConfigException(position, "xm_vars.var() wants the variable's name as a string");
        }

        _declared.Add(new DeclaredVariable(variable.Value,
            (Argument("use", 1) as ConfigText)?.Value ?? "", Argument("check", 2), position));
    }

    private void CheckDeclared()
    {
        foreach (DeclaredVariable variable in _declared)
        {
            if (!_arguments.TryGetValue(variable.Name, out string? text))
            {
                throw new ConfigException(variable.Position,
                    $"this file wants the variable '{variable.Name}'"
                    + (variable.Use.Length > 0 ? $" ({variable.Use.TrimEnd('.')})" : ""),
                    $"Add {variable.Name}=VALUE to the command line");
            }

            SourcePosition place = SourcePosition.Argument(variable.Name);
            ConfigValue value = new ConfigText(place, text);
            if (variable.Check is ConfigFunction { Definition: { } check })
            {
                try
                {
                    value = CallDefined(variable.Position, check,
                        [(null, new ConfigText(place, variable.Name)), (null, value)]);
                }
                catch (ConfigException refusal)
                {
                    throw new ConfigException(refusal.Position,
                        $"the file's check refuses {variable.Name}={text}",
                        variable.Use.Length > 0 ? $"{variable.Name} is: {variable.Use.TrimEnd('.')}" : null);
                }
            }

            _ = _helpers.Add(variable.Name);
            SetGlobal(variable.Name, value);
        }
    }
}
