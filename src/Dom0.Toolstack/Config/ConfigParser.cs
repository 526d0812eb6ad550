// SPDX-License-Identifier: MIT
//
// The part of Python that real xm files use, and nothing that could run without end: no loops, no classes, no
// comprehensions. What is left out is recognised by its first word, so that the error names it.
using System.Collections.Generic;

namespace Dom0.Toolstack.Config;

/// <summary>Turns the words of a configuration file into statements.</summary>
internal sealed class ConfigParser
{
    private const int MaximumDepth = 64;

    private readonly List<ConfigToken> _tokens;
    private int _at;
    private int _depth;

    private ConfigParser(List<ConfigToken> tokens) => _tokens = tokens;

    /// <summary>The statements of a whole file.</summary>
    public static List<StatementSyntax> Parse(string source, string file)
    {
        ConfigParser parser = new(ConfigLexer.Split(source, file));
        List<StatementSyntax> statements = [];
        while (parser.Current.Kind != ConfigTokenKind.End)
        {
            parser.ParseStatement(statements);
        }

        return statements;
    }

    /// <summary>One expression that fills the whole text: the value of a NAME=VALUE argument.</summary>
    public static ExpressionSyntax ParseExpression(string source, string file)
    {
        ConfigParser parser = new(ConfigLexer.Split(source, file));
        ExpressionSyntax expression = parser.ParseTupleOrExpression();
        parser.EndLine();
        return parser.Current.Kind == ConfigTokenKind.End
            ? expression
            : throw parser.Unexpected("the end of the value");
    }

    private ConfigToken Current => _tokens[_at];

    private ConfigToken Next() => _tokens[_at++];

    private bool Accept(string text)
    {
        if (!Current.Is(text))
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string text)
    {
        if (!Accept(text))
        {
            throw Unexpected($"'{text}'");
        }
    }

    private string ExpectName(string what) =>
        Current.Kind == ConfigTokenKind.Name ? Next().Text : throw Unexpected(what);

    private ConfigException Unexpected(string wanted) =>
        new(Current.Position, $"expected {wanted}, found {Current.Description}");

    private void EndLine()
    {
        if (Current.Kind == ConfigTokenKind.NewLine)
        {
            _at++;
        }
        else if (Current.Kind is not ConfigTokenKind.Dedent and not ConfigTokenKind.End)
        {
            throw Unexpected("the end of the line");
        }
    }

    private void ParseStatement(List<StatementSyntax> into)
    {
        ConfigToken first = Current;
        switch (first.Kind == ConfigTokenKind.Name ? first.Text : "")
        {
            case "def":
                into.Add(ParseFunction());
                return;
            case "if":
                _at++;
                into.Add(ParseIf(first.Position));
                return;
            case "import":
                ParseImport(into);
                return;
            case "from":
                ParseFromImport(into);
                return;
            case "raise":
                into.Add(ParseRaise());
                return;
            case "return":
                _at++;
                ExpressionSyntax? result =
                    Current.Kind == ConfigTokenKind.NewLine ? null : ParseTupleOrExpression();
                EndLine();
                into.Add(new ReturnSyntax(first.Position, result));
                return;
            case "pass":
                _at++;
                EndLine();
                return;
            case "for" or "while" or "class" or "try" or "with" or "lambda" or "exec" or "print" or "del" or "global"
                or "assert" or "yield" or "async" or "await" when IsKeywordUse():
                throw new ConfigException(first.Position,
                    $"'{first.Text}' is not part of the configuration language",
                    "Compute the value beforehand and write it here; assignments, strings with %, lists, numbers, "
                    + "if, and def with raise are understood");
            default:
                ParseSimpleStatement(into);
                return;
        }
    }

    /// <summary>
    /// A key of a future release may be called like a Python keyword; an assignment tells them apart.
    /// </summary>
    private bool IsKeywordUse() => !_tokens[_at + 1].Is("=");

    private void ParseSimpleStatement(List<StatementSyntax> into)
    {
        ConfigToken first = Current;
        if (first.Kind == ConfigTokenKind.Name && (_tokens[_at + 1].Is("=") || _tokens[_at + 1].Is("+=")))
        {
            bool isAppend = _tokens[_at + 1].Is("+=");
            _at += 2;
            ExpressionSyntax value = ParseTupleOrExpression();
            if (Current.Is("="))
            {
                throw new ConfigException(Current.Position, "one assignment sets one name",
                    "Write each assignment on a line of its own");
            }

            EndLine();
            into.Add(new AssignmentSyntax(first.Position, first.Text, isAppend, value));
            return;
        }

        ExpressionSyntax expression = ParseTupleOrExpression();
        if (Current.Is("="))
        {
            throw new ConfigException(first.Position, "only a plain name can be assigned to");
        }

        EndLine();
        into.Add(new ExpressionStatementSyntax(expression));
    }

    private List<StatementSyntax> ParseBlock()
    {
        Enter(Current.Position);
        Expect(":");
        List<StatementSyntax> body = [];
        if (Current.Kind != ConfigTokenKind.NewLine)
        {
            ParseStatement(body);
            _depth--;
            return body;
        }

        _at++;
        if (Current.Kind != ConfigTokenKind.Indent)
        {
            throw Unexpected("an indented line after ':'");
        }

        _at++;
        while (Current.Kind is not ConfigTokenKind.Dedent and not ConfigTokenKind.End)
        {
            ParseStatement(body);
        }

        if (Current.Kind == ConfigTokenKind.Dedent)
        {
            _at++;
        }

        _depth--;
        return body;
    }

    private FunctionSyntax ParseFunction()
    {
        SourcePosition position = Next().Position;
        string name = ExpectName("the function's name");
        Expect("(");
        List<ParameterSyntax> parameters = [];
        while (!Accept(")"))
        {
            string parameter = ExpectName("a parameter's name");
            parameters.Add(new ParameterSyntax(parameter, Accept("=") ? ParseExpression() : null));
            if (!Current.Is(")"))
            {
                Expect(",");
            }
        }

        return new FunctionSyntax(position, name, parameters, ParseBlock());
    }

    private IfSyntax ParseIf(SourcePosition position)
    {
        Enter(position);
        ExpressionSyntax condition = ParseExpression();
        List<StatementSyntax> whenTrue = ParseBlock();
        List<StatementSyntax> whenFalse = [];
        SourcePosition next = Current.Position;
        if (Accept("elif"))
        {
            whenFalse.Add(ParseIf(next));
        }
        else if (Accept("else"))
        {
            whenFalse = ParseBlock();
        }

        _depth--;
        return new IfSyntax(position, condition, whenTrue, whenFalse);
    }

    private void ParseImport(List<StatementSyntax> into)
    {
        _at++;
        do
        {
            SourcePosition position = Current.Position;
            string module = ExpectName("a module's name");
            into.Add(new ImportSyntax(position, module, Accept("as") ? ExpectName("a name") : module));
        }
        while (Accept(","));
        EndLine();
    }

    private void ParseFromImport(List<StatementSyntax> into)
    {
        _at++;
        string module = ExpectName("a module's name");
        Expect("import");
        do
        {
            SourcePosition position = Current.Position;
            string member = Accept("*") ? "*" : ExpectName("a name");
            into.Add(new ImportSyntax(position, $"{module}.{member}", Accept("as") ? ExpectName("a name") : member));
        }
        while (Accept(","));
        EndLine();
    }

    private RaiseSyntax ParseRaise()
    {
        SourcePosition position = Next().Position;
        if (Current.Kind is ConfigTokenKind.NewLine or ConfigTokenKind.Dedent)
        {
            EndLine();
            return new RaiseSyntax(position, "error", null);
        }

        string name = Current.Kind == ConfigTokenKind.Name ? Next().Text : "error";
        ExpressionSyntax? message = null;
        if (Accept("("))
        {
            message = Current.Is(")") ? null : ParseTupleOrExpression();
            Expect(")");
        }
        else if (Accept(",") || Current.Kind == ConfigTokenKind.Text)
        {
            message = ParseTupleOrExpression();
        }

        EndLine();
        return new RaiseSyntax(position, name, message);
    }

    private void Enter(SourcePosition position)
    {
        if (++_depth > MaximumDepth)
        {
            throw new ConfigException(position, $"more than {MaximumDepth} levels of nesting");
        }
    }

    private ExpressionSyntax ParseTupleOrExpression()
    {
        SourcePosition position = Current.Position;
        ExpressionSyntax first = ParseExpression();
        if (!Current.Is(","))
        {
            return first;
        }

        List<ExpressionSyntax> items = [first];
        while (Accept(","))
        {
            if (Current.Kind is ConfigTokenKind.NewLine or ConfigTokenKind.End || Current.Is(")"))
            {
                break;
            }

            items.Add(ParseExpression());
        }

        return new ListSyntax(position, items, IsTuple: true);
    }

    private ExpressionSyntax ParseExpression()
    {
        Enter(Current.Position);
        ExpressionSyntax value = ParseOr();
        if (Current.Is("if"))
        {
            SourcePosition position = Next().Position;
            ExpressionSyntax condition = ParseOr();
            Expect("else");
            value = new ConditionalSyntax(position, condition, value, ParseExpression());
        }

        _depth--;
        return value;
    }

    private ExpressionSyntax ParseOr()
    {
        ExpressionSyntax left = ParseAnd();
        while (Current.Is("or"))
        {
            left = new BinarySyntax(Next().Position, "or", left, ParseAnd());
        }

        return left;
    }

    private ExpressionSyntax ParseAnd()
    {
        ExpressionSyntax left = ParseNot();
        while (Current.Is("and"))
        {
            left = new BinarySyntax(Next().Position, "and", left, ParseNot());
        }

        return left;
    }

    private ExpressionSyntax ParseNot()
    {
        int negations = 0;
        SourcePosition position = Current.Position;
        for (; Accept("not"); negations++)
        {
        }

        ExpressionSyntax operand = ParseComparison();
        for (; negations > 0; negations--)
        {
            operand = new UnarySyntax(position, "not", operand);
        }

        return operand;
    }

    private ExpressionSyntax ParseComparison()
    {
        ExpressionSyntax left = ParseSum();
        while (true)
        {
            SourcePosition position = Current.Position;
            string? found = null;
            foreach (string candidate in (string[])["==", "!=", "<>", "<=", ">=", "<", ">", "in", "is"])
            {
                if (Accept(candidate))
                {
                    found = candidate;
                    break;
                }
            }

            if (found is null && Current.Is("not") && _tokens[_at + 1].Is("in"))
            {
                _at += 2;
                found = "not in";
            }
            else if (found == "is")
            {
                found = Accept("not") ? "!=" : "==";
            }
            else if (found == "<>")
            {
                found = "!=";
            }

            if (found is null)
            {
                return left;
            }

            left = new BinarySyntax(position, found, left, ParseSum());
        }
    }

    private ExpressionSyntax ParseSum()
    {
        ExpressionSyntax left = ParseProduct();
        while (Current.Is("+") || Current.Is("-"))
        {
            ConfigToken sign = Next();
            left = new BinarySyntax(sign.Position, sign.Text, left, ParseProduct());
        }

        return left;
    }

    private ExpressionSyntax ParseProduct()
    {
        ExpressionSyntax left = ParseUnary();
        while (Current.Is("*") || Current.Is("/") || Current.Is("//") || Current.Is("%"))
        {
            ConfigToken sign = Next();
            left = new BinarySyntax(sign.Position, sign.Text, left, ParseUnary());
        }

        return left;
    }

    private ExpressionSyntax ParseUnary()
    {
        if (!Current.Is("-") && !Current.Is("+"))
        {
            return ParsePostfix();
        }

        ConfigToken sign = Next();
        Enter(sign.Position);
        ExpressionSyntax operand = ParseUnary();
        _depth--;
        return new UnarySyntax(sign.Position, sign.Text, operand);
    }

    private ExpressionSyntax ParsePostfix()
    {
        ExpressionSyntax value = ParseAtom();
        while (true)
        {
            SourcePosition position = Current.Position;
            if (Accept("."))
            {
                value = new MemberSyntax(position, value, ExpectName("a member's name"));
            }
            else if (Accept("["))
            {
                ExpressionSyntax index = ParseExpression();
                Expect("]");
                value = new IndexSyntax(position, value, index);
            }
            else if (Accept("("))
            {
                value = new CallSyntax(position, value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private List<ArgumentSyntax> ParseArguments()
    {
        List<ArgumentSyntax> arguments = [];
        while (!Accept(")"))
        {
            SourcePosition position = Current.Position;
            string? name = null;
            if (Current.Kind == ConfigTokenKind.Name && _tokens[_at + 1].Is("="))
            {
                name = Next().Text;
                _at++;
            }

            arguments.Add(new ArgumentSyntax(position, name, ParseExpression()));
            if (!Current.Is(")"))
            {
                Expect(",");
            }
        }

        return arguments;
    }

    private ExpressionSyntax ParseAtom()
    {
        ConfigToken token = Current;
        switch (token.Kind)
        {
            case ConfigTokenKind.Number:
                _at++;
                return new LiteralSyntax(new ConfigNumber(token.Position, token.Number));
            case ConfigTokenKind.Text:
                string text = "";
                for (; Current.Kind == ConfigTokenKind.Text; _at++)
                {
                    text += Current.Text;
                }

                return new LiteralSyntax(new ConfigText(token.Position, text));
            case ConfigTokenKind.Name:
                _at++;
                return token.Text switch
                {
                    "None" => new LiteralSyntax(new ConfigNone(token.Position)),
                    "True" => new LiteralSyntax(new ConfigNumber(token.Position, 1, IsBoolean: true)),
                    "False" => new LiteralSyntax(new ConfigNumber(token.Position, 0, IsBoolean: true)),
                    "lambda" => throw new ConfigException(token.Position,
                        "'lambda' is not part of the configuration language", "Use def"),
                    _ => new NameSyntax(token.Position, token.Text),
                };
            case ConfigTokenKind.Operator when token.Text == "[":
                _at++;
                return new ListSyntax(token.Position, ParseItems("]", token), IsTuple: false);
            case ConfigTokenKind.Operator when token.Text == "(":
                _at++;
                return ParseParentheses(token);
            case ConfigTokenKind.Operator when token.Text == "{":
                throw new ConfigException(token.Position, "dictionaries are not part of the configuration language",
                    "Use a list of strings, such as ['mac=…, bridge=…']");
            default:
                throw Unexpected("a value");
        }
    }

    private ExpressionSyntax ParseParentheses(ConfigToken open)
    {
        if (Accept(")"))
        {
            return new ListSyntax(open.Position, [], IsTuple: true);
        }

        ExpressionSyntax first = ParseExpression();
        if (Accept(")"))
        {
            return first;
        }

        if (!Accept(","))
        {
            throw Unclosed(open, ")");
        }

        List<ExpressionSyntax> items = [first, .. ParseItems(")", open)];
        return new ListSyntax(open.Position, items, IsTuple: true);
    }

    private List<ExpressionSyntax> ParseItems(string close, ConfigToken open)
    {
        List<ExpressionSyntax> items = [];
        while (!Accept(close))
        {
            items.Add(ParseExpression());
            if (Current.Is("for"))
            {
                throw new ConfigException(Current.Position,
                    "list comprehensions are not part of the configuration language", "Write the list out");
            }

            if (!Current.Is(close) && !Accept(","))
            {
                throw Unclosed(open, close);
            }
        }

        return items;
    }

    private ConfigException Unclosed(ConfigToken open, string close) =>
        new(Current.Position,
            $"expected ',' or '{close}', found {Current.Description}; the '{open.Text}' stands at {open.Position}");
}
