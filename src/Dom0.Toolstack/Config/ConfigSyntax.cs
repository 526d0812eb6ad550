// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Dom0.Toolstack.Config;

internal abstract record ExpressionSyntax(SourcePosition Position);

internal sealed record LiteralSyntax(ConfigValue Value) : ExpressionSyntax(Value.Position);

internal sealed record NameSyntax(SourcePosition Position, string Name) : ExpressionSyntax(Position);

internal sealed record ListSyntax(SourcePosition Position, IReadOnlyList<ExpressionSyntax> Items, bool IsTuple)
    : ExpressionSyntax(Position);

internal sealed record UnarySyntax(SourcePosition Position, string Operator, ExpressionSyntax Operand)
    : ExpressionSyntax(Position);

internal sealed record BinarySyntax(
    SourcePosition Position, string Operator, ExpressionSyntax Left, ExpressionSyntax Right)
    : ExpressionSyntax(Position);

internal sealed record ConditionalSyntax(
    SourcePosition Position, ExpressionSyntax Condition, ExpressionSyntax WhenTrue, ExpressionSyntax WhenFalse)
    : ExpressionSyntax(Position);

internal sealed record MemberSyntax(SourcePosition Position, ExpressionSyntax Target, string Name)
    : ExpressionSyntax(Position);

internal sealed record IndexSyntax(SourcePosition Position, ExpressionSyntax Target, ExpressionSyntax Index)
    : ExpressionSyntax(Position);

internal sealed record ArgumentSyntax(SourcePosition Position, string? Name, ExpressionSyntax Value);

internal sealed record CallSyntax(
    SourcePosition Position, ExpressionSyntax Function, IReadOnlyList<ArgumentSyntax> Arguments)
    : ExpressionSyntax(Position);

internal abstract record StatementSyntax(SourcePosition Position);

internal sealed record AssignmentSyntax(SourcePosition Position, string Name, bool IsAppend, ExpressionSyntax Value)
    : StatementSyntax(Position);

internal sealed record ExpressionStatementSyntax(ExpressionSyntax Expression) : StatementSyntax(Expression.Position);

internal sealed record ImportSyntax(SourcePosition Position, string Module, string BoundName)
    : StatementSyntax(Position);

internal sealed record IfSyntax(
    SourcePosition Position,
    ExpressionSyntax Condition,
    IReadOnlyList<StatementSyntax> WhenTrue,
    IReadOnlyList<StatementSyntax> WhenFalse)
    : StatementSyntax(Position);

internal sealed record ParameterSyntax(string Name, ExpressionSyntax? Default);

internal sealed record FunctionSyntax(
    SourcePosition Position,
    string Name,
    IReadOnlyList<ParameterSyntax> Parameters,
    IReadOnlyList<StatementSyntax> Body)
    : StatementSyntax(Position);

internal sealed record ReturnSyntax(SourcePosition Position, ExpressionSyntax? Value) : StatementSyntax(Position);

internal sealed record RaiseSyntax(SourcePosition Position, string Name, ExpressionSyntax? Message)
    : StatementSyntax(Position);
