// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Runtime.Intrinsics.X86;
using Hypervisor.Core.Emulation;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Emulation;

/// <summary>Processors to build policies from: two made up, with every feature there is, and the one that runs the
/// tests.</summary>
internal static unsafe class SampleHost
{
    private const uint All = 0xFFFF_FFFF;

    public static HostCpuid Intel() => Capture(Leaves("Genu", "ineI", "ntel", intel: true), ulong.MaxValue);

    public static HostCpuid Amd() => Capture(Leaves("Auth", "enti", "cAMD", intel: false), 0);

    public static HostCpuid Native()
    {
        HostCpuid host = default;
        while (host.Next(out uint leaf, out uint subleaf))
        {
            (int a, int b, int c, int d) = X86Base.CpuId((int)leaf, (int)subleaf);
            host.Add(leaf, subleaf, (uint)a, (uint)b, (uint)c, (uint)d);
        }

        return host;
    }

    public static void BuildPvMax(HostCpuid host, bool speculationControls, CpuPolicy* policy)
    {
        CpuPolicy machine;
        CpuidPolicy.BuildHost(&host, &machine);
        CpuidPolicy.BuildPvMax(&machine, speculationControls, policy);
    }

    public static CpuidResult Read(CpuPolicy* policy, in CpuidContext context, uint leaf, uint subleaf = 0)
    {
        CpuidPolicy.Read(policy, context, leaf, subleaf, out CpuidResult result);
        return result;
    }

    private static HostCpuid Capture(Dictionary<(uint Leaf, uint Subleaf), uint[]> leaves, ulong archCapabilities)
    {
        HostCpuid host = default;
        host.ArchCapabilities = archCapabilities;
        while (host.Next(out uint leaf, out uint subleaf))
        {
            uint[] words = leaves.TryGetValue((leaf, subleaf), out uint[] found) ? found : new uint[4];
            host.Add(leaf, subleaf, words[0], words[1], words[2], words[3]);
        }

        return host;
    }

    private static Dictionary<(uint Leaf, uint Subleaf), uint[]> Leaves(
        string b, string d, string c, bool intel) => new()
    {
        [(0, 0)] = [0x16, Word(b), Word(c), Word(d)],
        [(1, 0)] = [0x000A_20F1, 0x0710_0800, All, All],
        [(2, 0)] = [0x00FE_FF01, 0xF0, 0, 0],
        [(3, 0)] = [1, 2, 3, 4],
        [(4, 0)] = intel ? [0x1C00_4121, 0x01C0_003F, 0x3F, 0] : [0, 0, 0, 0],
        [(4, 1)] = intel ? [0x1C00_4122, 0x01C0_003F, 0x3F, 0] : [0, 0, 0, 0],
        [(5, 0)] = [0x40, 0x40, 3, 0],
        [(6, 0)] = [7, 2, 9, 0],
        [(7, 0)] = [2, All, All, All],
        [(7, 1)] = [All, All, All, All],
        [(7, 2)] = [All, All, All, All],
        [(9, 0)] = [5, 5, 5, 5],
        [(0xA, 0)] = [0x0730_0404, 0, 0, 0x603],
        [(0xB, 0)] = [1, 2, 0x100, 7],
        [(0xB, 1)] = [4, 8, 0x201, 7],
        [(0xD, 0)] = [0x2E7, 0x340, 0xA88, 0],
        [(0xD, 1)] = [All, 0x500, 0x1900, 0],
        [(0xD, 2)] = [0x100, 0x240, 0, 0],
        [(0xD, 5)] = [0x40, 0x440, 0, 0],
        [(0xD, 6)] = [0x200, 0x480, 0, 0],
        [(0xD, 7)] = [0x400, 0x680, 2, 0],
        [(0xD, 9)] = [8, 0xA80, 0, 0],
        [(0x8000_0000, 0)] = [intel ? 0x8000_0008 : 0x8000_0026, Word(b), Word(c), Word(d)],
        [(0x8000_0001, 0)] = [0x000A_20F1, 0x4000_0000, All, All],
        [(0x8000_0002, 0)] = [0x656D_614E, 0, 0, 0],
        [(0x8000_0007, 0)] = [All, All, All, All],
        [(0x8000_0008, 0)] = [0x0030_3934, All, All, All],
        [(0x8000_000A, 0)] = [All, All, All, All],
        [(0x8000_001E, 0)] = [All, All, All, All],
        [(0x8000_001F, 0)] = [All, All, All, All],
        [(0x8000_0021, 0)] = [All, All, All, All],
    };

    private static uint Word(string text) =>
        text[0] | ((uint)text[1] << 8) | ((uint)text[2] << 16) | ((uint)text[3] << 24);
}
