// SPDX-License-Identifier: MIT
// The two drawings of docs/scheduling.md. The simulation is exact, so they are the same bytes each time: the test
// insists that those in docs are what the policies do now, and with DRAW_SCHEDULERS set writes them instead.

using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Xunit;
using static Hypervisor.Sched.Tests.Simulation;

namespace Hypervisor.Sched.Tests;

public sealed unsafe class Plots
{
    private const int Width = 640;
    private const int Height = 260;
    private const int Left = 60;
    private const int Top = 30;
    private const int PlotWidth = 460;
    private const int PlotHeight = 180;

    private static readonly PolicyId[] s_policies = [PolicyId.Credit, PolicyId.Sedf, PolicyId.Bvt];
    private static readonly string[] s_colours = ["#1f77b4", "#d62728", "#2ca02c"];

    [Fact]
    public void The_drawing_of_shares_is_up_to_date()
    {
        StringBuilder drawing = Begin("Running time of three busy units, weights 1 : 2 : 4, one CPU", "seconds", "share");
        for (int policy = 0; policy < 3; policy++)
        {
            double[][] shares = Shares(s_policies[policy]);
            foreach (double[] line in shares)
            {
                AddLine(drawing, s_colours[policy], line.Select((share, index) => ((index + 1) / 40.0, share)));
            }
        }

        Compare("schedulers-shares.svg", End(drawing, "2", "0.75"));
    }

    [Fact]
    public void The_drawing_of_delays_is_up_to_date()
    {
        StringBuilder drawing = Begin(
            "Delay of a unit that works 0.2 ms every 10 ms, six busy ones beside it", "part of wake-ups", "ms");
        for (int policy = 0; policy < 3; policy++)
        {
            double[] delays = Delays(s_policies[policy]);
            AddLine(drawing, s_colours[policy], Enumerable.Range(0, 101).Select(
                part => (part / 100.0, Math.Min(1, delays[part * (delays.Length - 1) / 100] / 2.0))));
        }

        Compare("schedulers-delays.svg", End(drawing, "1", "2"));
    }

    /// <summary>What each of three units has of the time so far, every 50 ms for two seconds.</summary>
    private static double[][] Shares(PolicyId policy)
    {
        using Simulation simulation = new(1, policy);
        foreach (uint weight in new uint[] { 1, 2, 4 })
        {
            SchedDomain* domain = simulation.AddDomain(256 * weight);
            domain->Sedf.Weight = 256 * weight;
            domain->Bvt.Advance = 40 / weight;
            _ = simulation.Add(domain);
        }

        simulation.WakeAll();
        double[][] shares = [new double[40], new double[40], new double[40]];
        for (int step = 0; step < 40; step++)
        {
            simulation.RunFor(50 * Millisecond);
            for (int unit = 0; unit < 3; unit++)
            {
                shares[unit][step] = simulation.Units[unit].Ran / (double)simulation.Now / 0.75;
            }
        }

        return shares;
    }

    /// <summary>Milliseconds from wake-up to running, in ascending order.</summary>
    private static double[] Delays(PolicyId policy)
    {
        using Simulation simulation = new(1, policy);
        for (int index = 0; index < 6; index++)
        {
            _ = simulation.Add();
        }

        SimulatedUnit sleeper = simulation.Add(200 * Microsecond, 9_800 * Microsecond);
        System.Collections.Generic.List<double> delays = [];
        sleeper.OnFirstRun = delay => delays.Add(delay / 1e6);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        return [.. delays.Skip(10).Order()];
    }

    private static StringBuilder Begin(string title, string across, string up)
    {
        StringBuilder drawing = new();
        _ = drawing.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{Height}" font-family="sans-serif" font-size="12">
            <rect width="{Width}" height="{Height}" fill="white"/>
            <text x="{Left}" y="18" font-size="13">{title}</text>
            <path d="M{Left} {Top}V{Top + PlotHeight}H{Left + PlotWidth}" fill="none" stroke="black"/>
            <text x="{Left + (PlotWidth / 2)}" y="{Height - 12}" text-anchor="middle">{across}</text>
            <text x="8" y="{Top + (PlotHeight / 2)}">{up}</text>

            """);
        for (int policy = 0; policy < 3; policy++)
        {
            _ = drawing.Append(CultureInfo.InvariantCulture, $"""
                <text x="{Left + PlotWidth + 20}" y="{Top + 20 + (policy * 20)}" fill="{s_colours[policy]}">{s_policies[policy].ToString().ToLowerInvariant()}</text>

                """);
        }

        return drawing;
    }

    /// <summary>Points are parts of the axes, from 0 to 1.</summary>
    private static void AddLine(
        StringBuilder drawing, string colour, System.Collections.Generic.IEnumerable<(double X, double Y)> points)
    {
        string path = string.Join(' ', points.Select(point => string.Create(
            CultureInfo.InvariantCulture,
            $"{Left + (point.X * PlotWidth):0.0},{Top + ((1 - point.Y) * PlotHeight):0.0}")));
        _ = drawing.Append(CultureInfo.InvariantCulture,
            $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n");
    }

    private static string End(StringBuilder drawing, string across, string up) =>
        drawing.Append(CultureInfo.InvariantCulture, $"""
            <text x="{Left + PlotWidth}" y="{Top + PlotHeight + 16}" text-anchor="end">{across}</text>
            <text x="{Left - 6}" y="{Top + 10}" text-anchor="end">{up}</text>
            </svg>

            """).ToString();

    private static void Compare(string name, string drawing)
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Xen.sln")))
        {
            folder = folder.Parent;
        }

        string file = Path.Combine(folder.FullName, "docs", name);
        if (Environment.GetEnvironmentVariable("DRAW_SCHEDULERS") != null)
        {
            File.WriteAllText(file, drawing);
        }

        Assert.Equal(drawing, File.ReadAllText(file));
    }
}
