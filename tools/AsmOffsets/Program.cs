// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;

namespace AsmOffsets;

/// <summary>Writes the file that its one argument names, or to standard output.</summary>
public static class Program
{
    public static int Main(string[] arguments)
    {
        string text = OffsetsFile.Write();
        if (arguments.Length == 0)
        {
            Console.Write(text);
        }
        else
        {
            File.WriteAllText(arguments[0], text, new UTF8Encoding(false));
        }

        return 0;
    }
}
