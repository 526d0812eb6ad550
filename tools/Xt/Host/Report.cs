// SPDX-License-Identifier: MIT
using System;

namespace Xt.Host;

/// <summary>
/// What the driver says about its own doings. All of it goes to the standard error stream, because the standard output
/// of <c>xt run --batch</c> belongs to the commands alone. Colours appear on a terminal only.
/// </summary>
public static class Report
{
    private static readonly bool s_coloured =
        !Console.IsErrorRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    private static readonly object s_lock = new();

    public static bool Quiet { get; set; }

    public static void Step(string text)
    {
        if (!Quiet)
        {
            Line("36", "xt: ", text);
        }
    }

    public static void Warning(string text) => Line("33", "xt: ", text);

    public static void Error(string text, string? remedy = null)
    {
        Line("31", "xt: ", text);
        if (remedy != null)
        {
            Line("33", "    ", remedy);
        }
    }

    public static void Plain(string text)
    {
        lock (s_lock)
        {
            Console.Error.WriteLine(text);
        }
    }

    public static string Coloured(string colour, string text, bool redirected) =>
        s_coloured && !redirected ? $"\e[{colour}m{text}\e[0m" : text;

    private static void Line(string colour, string prefix, string text)
    {
        lock (s_lock)
        {
            Console.Error.WriteLine(Coloured(colour, prefix, false) + text);
        }
    }
}
