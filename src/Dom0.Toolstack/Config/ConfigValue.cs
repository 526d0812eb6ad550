// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Dom0.Toolstack.Config;

/// <summary>A value of the configuration language, with the place where it was written.</summary>
public abstract record ConfigValue(SourcePosition Position)
{
    /// <summary>The type's name as error messages give it.</summary>
    public abstract string Kind { get; }

    /// <summary>Truth as Python sees it: empty, zero and None are false.</summary>
    public abstract bool IsTrue { get; }

    /// <summary>What <c>str()</c> and <c>%s</c> make of the value.</summary>
    public abstract string Text { get; }

    /// <summary>What <c>%r</c> and <c>xm create -n</c> make of the value.</summary>
    public virtual string Literal => Text;
}

/// <summary>A string.</summary>
public sealed record ConfigText(SourcePosition Position, string Value) : ConfigValue(Position)
{
    /// <inheritdoc/>
    public override string Kind => "a string";

    /// <inheritdoc/>
    public override bool IsTrue => Value.Length > 0;

    /// <inheritdoc/>
    public override string Text => Value;

    /// <inheritdoc/>
    public override string Literal => "'" + Value.Replace("\\", "\\\\").Replace("'", "\\'").Replace("\n", "\\n") + "'";
}

/// <summary>A whole number; booleans are numbers, as in Python.</summary>
public sealed record ConfigNumber(SourcePosition Position, long Value, bool IsBoolean = false) : ConfigValue(Position)
{
    /// <inheritdoc/>
    public override string Kind => IsBoolean ? "a truth value" : "a number";

    /// <inheritdoc/>
    public override bool IsTrue => Value != 0;

    /// <inheritdoc/>
    public override string Text =>
        IsBoolean ? (Value != 0 ? "True" : "False") : Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The absence of a value.</summary>
public sealed record ConfigNone(SourcePosition Position) : ConfigValue(Position)
{
    /// <inheritdoc/>
    public override string Kind => "None";

    /// <inheritdoc/>
    public override bool IsTrue => false;

    /// <inheritdoc/>
    public override string Text => "None";
}

/// <summary>A list or tuple.</summary>
public sealed record ConfigList(SourcePosition Position, IReadOnlyList<ConfigValue> Items, bool IsTuple = false)
    : ConfigValue(Position)
{
    /// <inheritdoc/>
    public override string Kind => IsTuple ? "a tuple" : "a list";

    /// <inheritdoc/>
    public override bool IsTrue => Items.Count > 0;

    /// <inheritdoc/>
    public override string Text
    {
        get
        {
            string items = string.Join(", ", Items.Select(item => item.Literal));
            return IsTuple ? (Items.Count == 1 ? $"({items},)" : $"({items})") : $"[{items}]";
        }
    }
}

/// <summary>A function: one that the file defines, or one of the few that the language offers.</summary>
internal sealed record ConfigFunction(SourcePosition Position, string Name, FunctionSyntax? Definition)
    : ConfigValue(Position)
{
    public override string Kind => "a function";

    public override bool IsTrue => true;

    public override string Text => $"<function {Name}>";
}

/// <summary>A name with members: <c>os</c>, <c>re</c>, <c>xm_vars</c>.</summary>
internal sealed record ConfigModule(SourcePosition Position, string Name) : ConfigValue(Position)
{
    public override string Kind => "a module";

    public override bool IsTrue => true;

    public override string Text => $"<module {Name}>";
}
