// SPDX-License-Identifier: MIT
// Two passes, both part of tools/build-hypervisor. `object` comes before the link: it reads what ILCompiler wrote, so that
// an offence is named together with the method that commits it rather than by the linker; and it writes the table of names
// that is linked into the image. `image` comes last and reads what boot loaders will load.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using ImageCheck.Elf;
using ImageCheck.Names;
using ImageCheck.Rules;

namespace ImageCheck;

/// <summary>Refuses an image that breaks the rules of ring 0.</summary>
public static class Program
{
    private const int Sound = 0;
    private const int Refused = 1;
    private const int WrongUse = 2;

    public static int Main(string[] arguments)
    {
        try
        {
            return arguments switch
            {
                ["object", string managed, string vectors, string names, .. string[] assembly] =>
                    CheckObject(managed, vectors, names, assembly),
                ["image", string linked, string file, string compressed, string code] =>
                    CheckImage(linked, file, compressed, code),
                _ => Usage(),
            };
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            Console.Error.WriteLine($"error: image check: {exception.Message}");
            return Refused;
        }
    }

    private static int Usage()
    {
        Console.Error.WriteLine(
            """
            ImageCheck object MANAGED.O VECTORS.INC NAMES.ASM ASSEMBLY.O...    before the link; writes NAMES.ASM
            ImageCheck image LINKED.ELF IMAGE IMAGE.GZ CODE                    after it; CODE is what `object` printed
            """);
        return WrongUse;
    }

    private static int CheckObject(string managedPath, string vectorsPath, string namesPath, string[] assemblyPaths)
    {
        Findings findings = new();
        ElfFile managed = ElfFile.Read(managedPath);
        List<ElfFile> assembly = [.. assemblyPaths.Select(ElfFile.Read)];
        VectorSet saved = VectorSet.Parse(File.ReadAllText(vectorsPath));
        HelperRule.Check(managed, assembly, findings);
        ArtefactRule.Check(managed, findings);
        CodeSummary code = InstructionRule.Check(managed, saved, findings);
        if (!findings.AreNone)
        {
            findings.Print(Console.Error);
            return Refused;
        }

        File.WriteAllText(namesPath, NameTable.Write(managed, assembly), new UTF8Encoding(false));
        Console.WriteLine($"vector registers {VectorSet.Join(code.VectorRegisters)}, {code.Methods} methods");
        return Sound;
    }

    private static int CheckImage(string linkedPath, string filePath, string compressedPath, string code)
    {
        Findings findings = new();
        ElfFile linked = ElfFile.Read(linkedPath);
        byte[] file = File.ReadAllBytes(filePath);
        long compressed = new FileInfo(compressedPath).Length;
        SectionRule.Check(linked, findings);
        FixupRule.Check(linked, findings);
        SmapRule.Check(linked, findings);
        FileRule.Check(file, compressed, linked, findings);
        NameTable.Check(linked, findings);
        if (!findings.AreNone)
        {
            findings.Print(Console.Error);
            return Refused;
        }

        Console.WriteLine($"image: {file.Length} bytes, {compressed} compressed, {code}");
        return Sound;
    }
}
