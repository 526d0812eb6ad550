// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Xt.Bench;

/// <summary>
/// Figures of several systems side by side, in the order in which the operations first appeared: instructions, or speeds where the
/// operation's name ends in a unit of speed.
/// </summary>
public sealed class BenchTable
{
    private const string SpeedUnit = " MB/s";

    private readonly List<string> _systems;
    private readonly List<string> _operations = [];
    private readonly Dictionary<(string System, string Operation), double> _figures = [];

    public BenchTable(IEnumerable<string> systems) => _systems = [.. systems];

    public int Rows => _operations.Count;

    public void Add(string system, string operation, double figure)
    {
        if (!_operations.Contains(operation))
        {
            _operations.Add(operation);
        }

        _figures[(system, operation)] = figure;
    }

    public void AddAll(BenchTable other)
    {
        foreach (string operation in other._operations)
        {
            foreach (string system in other._systems)
            {
                if (other.Figure(system, operation) is double figure)
                {
                    Add(system, operation, figure);
                }
            }
        }
    }

    /// <summary>
    /// What the first system needs as a part of what the second needs, so that less than 1 is better for speeds too; null when one
    /// of them is missing.
    /// </summary>
    public double? Ratio(string operation)
    {
        double? ours = Figure(_systems[0], operation);
        double? theirs = _systems.Count > 1 ? Figure(_systems[1], operation) : null;
        return ours > 0 && theirs > 0
            ? operation.EndsWith(SpeedUnit, StringComparison.Ordinal) ? theirs / ours : ours / theirs
            : null;
    }

    public double? GeometricMean()
    {
        double[] ratios = [.. _operations.Select(Ratio).OfType<double>()];
        return ratios.Length == 0 ? null : Math.Exp(ratios.Average(Math.Log));
    }

    public string ToText()
    {
        StringBuilder text = new();
        int width = Math.Max(10, _operations.DefaultIfEmpty(string.Empty).Max(operation => operation.Length));
        _ = text.Append("operation".PadRight(width));
        _ = text.Append(string.Concat(_systems.Select(system => system.PadLeft(14)))).Append("   ratio\n");
        foreach (string operation in _operations)
        {
            _ = text.Append(operation.PadRight(width));
            _ = text.Append(string.Concat(_systems.Select(system => Shown(Figure(system, operation)).PadLeft(14))));
            _ = text.Append(ShownRatio(Ratio(operation)).PadLeft(8)).Append('\n');
        }

        _ = text.Append("geometric mean".PadRight(width + (14 * _systems.Count)));
        return text.Append(ShownRatio(GeometricMean()).PadLeft(8)).Append('\n').ToString();
    }

    public string ToJson()
    {
        var rows = _operations.Select(operation => new Dictionary<string, object?>(
            _systems.Select(system => KeyValuePair.Create(system, (object?)Figure(system, operation))))
        {
            ["operation"] = operation,
            ["ratio"] = Ratio(operation),
        });
        return JsonSerializer.Serialize(
            new Dictionary<string, object?> { ["rows"] = rows, ["geometricMean"] = GeometricMean() },
            new JsonSerializerOptions { WriteIndented = true });
    }

    private static string Shown(double? figure) => figure?.ToString("#,0.##", CultureInfo.InvariantCulture) ?? "-";

    private static string ShownRatio(double? ratio) => ratio?.ToString("0.000", CultureInfo.InvariantCulture) ?? "-";

    private double? Figure(string system, string operation) =>
        _figures.TryGetValue((system, operation), out double figure) ? figure : null;
}
