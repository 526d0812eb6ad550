// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Xt.Testing;

/// <summary>
/// A micro guest: a kernel in <c>artifacts/guests</c>, and what the head of its guest.md in <c>tests/guests</c> says about
/// running it.
/// </summary>
/// <remarks>
/// The head is made of lines <c>key: value</c>, up to the first line that is something else; a heading and empty
/// lines before them are passed over. Keys: <c>expect</c> (SUCCESS unless told; FAILURE, CRASH, ... for guests that prove that
/// a failure is noticed), <c>cmdline</c> (the guest's command line), <c>append</c> (the hypervisor's), <c>smp</c>,
/// <c>memory</c> (MiB), <c>timeout</c> (seconds), <c>long: yes</c> (only with --long), <c>console</c> (a text that must
/// appear on the console as well), <c>privileged: yes</c> (runs as Domain-0; it always does on Debian's Xen), <c>cpu</c> (QEMU's model),
/// <c>icount: yes</c> (time counts instructions).
/// </remarks>
public sealed record MicroGuest(string Name, string Image, IReadOnlyDictionary<string, string> Keys)
{
    private static readonly HashSet<string> s_keys =
        ["expect", "cmdline", "append", "smp", "memory", "timeout", "long", "console", "privileged", "cpu", "icount"];

    public string Expect => Text("expect", "SUCCESS");

    public bool IsLong => Text("long", "no") == "yes";

    public bool IsPrivileged => Text("privileged", "no") == "yes";

    public bool CountsInstructions => Text("icount", "no") == "yes";

    public static MicroGuest Read(string image)
    {
        string name = Path.GetFileNameWithoutExtension(image);
        string page = Workspace.InSources("tests", "guests", name, "guest.md");
        return new MicroGuest(name, image, File.Exists(page) ? ReadHead(name, File.ReadLines(page)) : []);
    }

    public static Dictionary<string, string> ReadHead(string name, IEnumerable<string> lines)
    {
        Dictionary<string, string> keys = [];
        foreach (string line in lines)
        {
            bool isMarkup = line.Length == 0 || line[0] is '#' or '-' or '<';
            int colon = line.IndexOf(':');
            if (isMarkup && keys.Count == 0)
            {
                continue;
            }

            if (isMarkup || colon < 0 || line[..colon].Contains(' ', StringComparison.Ordinal))
            {
                break;
            }

            string key = line[..colon].Trim();
            if (!s_keys.Contains(key))
            {
                throw new XtException($"tests/guests/{name}/guest.md has the unknown key {key}.",
                    $"Known are: {string.Join(", ", s_keys)}.");
            }

            keys[key] = line[(colon + 1)..].Trim();
        }

        return keys;
    }

    public string Text(string key, string otherwise) => Keys.TryGetValue(key, out string? value) ? value : otherwise;

    public int Number(string key, int otherwise) =>
        Keys.TryGetValue(key, out string? value) ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
