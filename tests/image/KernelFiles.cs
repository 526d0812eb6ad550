// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using Xen.Images;
using Xen.Images.Tests;
using Xt;
using Xt.Image;

namespace Image.Tests;

/// <summary>Files in the place of Domain-0's kernel, most of them unfit for it.</summary>
public sealed class KernelFiles : IDisposable
{
    private const int SectorCount = 0x1F1;
    private const int PayloadOffset = 0x248;
    private const int SectorSize = 512;

    private readonly string _folder = Directory.CreateTempSubdirectory("xt-kernels-").FullName;

    public string Text() => Write("text", "To be, or not to be: that is the question.\n"u8.ToArray());

    public string Empty() => Write("empty", [0]);

    /// <summary>An ELF program for x86-64 that knows nothing of Xen.</summary>
    public string Program() => Write("program", new ElfBuilder().AddLoad(new byte[0x1000], 0x1000).Build());

    /// <summary>A kernel that asks for nothing beyond Xen's interface; it would stop at once.</summary>
    public string SmallKernel() => Write("small", ElfBuilder.Kernel(ElfBuilder.UsualNotes()));

    /// <summary>A kernel whose notes say that it can only be a guest.</summary>
    public string GuestOnly() => Write("guest", ElfBuilder.Kernel(
        [.. ElfBuilder.UsualNotes(), .. ElfBuilder.Note(XenNoteType.SupportedFeatures, BitConverter.GetBytes(1))]));

    /// <summary>Debian's kernel as far as the download got.</summary>
    public string TruncatedDebian()
    {
        byte[] kernel = File.ReadAllBytes(Dom0Image.Kernel());
        return Write("truncated", kernel[..(kernel.Length / 2)]);
    }

    /// <summary>Debian's kernel with one byte changed, so far behind the beginning of the packed kernel.</summary>
    public string FlippedDebian(int behind)
    {
        byte[] kernel = File.ReadAllBytes(Dom0Image.Kernel());
        int setup = (kernel[SectorCount] + 1) * SectorSize;
        kernel[setup + BitConverter.ToInt32(kernel, PayloadOffset) + behind] ^= 0x40;
        return Write("flipped", kernel);
    }

    /// <summary>The hypervisor with an undefined instruction where one of its methods begins.</summary>
    public string BrokenHypervisor(string method) => ChangedHypervisor("_" + method, [0x0F, 0x0B]);

    /// <summary>The hypervisor with other code where the one symbol is that ends so.</summary>
    public string ChangedHypervisor(string symbolEnd, ReadOnlySpan<byte> code)
    {
        string symbol = File.ReadLines(Path.Combine(Workspace.Artifacts, "xen.sym"))
            .Single(line => line.EndsWith(symbolEnd, StringComparison.Ordinal));
        uint physical = (uint)Convert.ToUInt64(symbol.Split(' ')[0], 16);
        byte[] image = File.ReadAllBytes(Workspace.Hypervisor);
        int segment = BitConverter.ToInt32(image, 28);
        uint offset = BitConverter.ToUInt32(image, segment + 4);
        uint address = BitConverter.ToUInt32(image, segment + 12);
        code.CopyTo(image.AsSpan((int)(physical - address + offset)));
        return Write("broken", image);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string Write(string name, byte[] contents)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, contents);
        return path;
    }
}
