// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Xt.Debian;

namespace Xt.Image;

/// <summary>
/// Picks modules of a Debian kernel together with those they depend on, and writes the index files that modprobe reads.
/// Debian makes those files when the package is installed; here it is only unpacked.
/// </summary>
public sealed class KernelModules
{
    private readonly string _release;
    private readonly Dictionary<string, string> _fileOf;
    private readonly List<string> _loadOrder = [];
    private readonly Dictionary<string, List<string>> _dependencies = [];
    private readonly List<(string Alias, string Module)> _aliases = [];

    public KernelModules(string kernelPackageContents)
    {
        string folder = Directory.EnumerateDirectories(Path.Combine(kernelPackageContents, "lib/modules")).Single();
        _release = Path.GetFileName(folder);
        _fileOf = Directory.EnumerateFiles(folder, "*.ko", SearchOption.AllDirectories).ToDictionary(NameOf);
    }

    /// <summary>Asks for a module; one that the kernel has built in, or does not have, is passed over.</summary>
    public void Want(string module)
    {
        string name = module.Replace('-', '_');
        if (_dependencies.ContainsKey(name) || !_fileOf.TryGetValue(name, out string? file))
        {
            return;
        }

        List<string> needs = [];
        _dependencies[name] = needs;
        foreach ((string key, string value) in ElfObject.TryRead(file)!.ModuleInformation())
        {
            if (key == "depends" && value.Length != 0)
            {
                needs.AddRange(value.Split(',').Select(need => need.Replace('-', '_')));
            }
            else if (key == "softdep")
            {
                needs.AddRange(value.Split(' ')
                    .Where(word => !word.EndsWith(':'))
                    .Select(word => word.Replace('-', '_'))
                    .Where(_fileOf.ContainsKey));
            }
            else if (key == "alias")
            {
                _aliases.Add((value, name));
            }
        }

        foreach (string need in needs)
        {
            Want(need);
        }

        _loadOrder.Add(name);
    }

    public void AddTo(SystemTree tree)
    {
        string root = $"usr/lib/modules/{_release}";
        StringBuilder dependencies = new();
        foreach (string name in _loadOrder)
        {
            tree.File($"{root}/{name}.ko", _fileOf[name]);
            // modprobe loads from right to left: what others stand on comes last.
            HashSet<string> found = [];
            Collect(name, found);
            IEnumerable<string> needs = Enumerable.Reverse(_loadOrder)
                .Where(need => need != name && found.Contains(need))
                .Select(need => $" {need}.ko");
            _ = dependencies.Append($"{name}.ko:{string.Concat(needs)}\n");
        }

        tree.Text($"{root}/modules.dep", dependencies.ToString());
        tree.Text($"{root}/modules.alias", string.Concat(_aliases.Select(a => $"alias {a.Alias} {a.Module}\n")));
        tree.Text($"{root}/modules.symbols", string.Empty);
    }

    private void Collect(string name, HashSet<string> found)
    {
        if (_dependencies.TryGetValue(name, out List<string>? needs) && found.Add(name))
        {
            needs.ForEach(need => Collect(need, found));
        }
    }

    private static string NameOf(string file) => Path.GetFileNameWithoutExtension(file).Replace('-', '_');
}
