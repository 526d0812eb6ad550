// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>Reads <c>dom0_mem</c> and <c>dom0_max_vcpus</c>, and says how much memory Domain-0 gets.</summary>
public static unsafe class Dom0Size
{
    /// <summary>Where nothing is said of a size: what Domain-0 leaves to others, a share of the memory up to this.</summary>
    private const ulong LargestReserve = 128UL << 20;
    private const int ReserveShare = 16;

    /// <summary>
    /// Bytes for Domain-0 out of <paramref name="available"/>: what is said or else all but a reserve, at least the
    /// minimum, at most the maximum, and never more than there is.
    /// </summary>
    public static ulong MemoryOf(in BootOptions options, ulong available)
    {
        ulong reserve = available / ReserveShare < LargestReserve ? available / ReserveShare : LargestReserve;
        ulong bytes = options.Dom0Memory.Of(available, available - reserve);
        ulong least = options.Dom0MemoryMin.Of(available, 0);
        ulong most = options.Dom0MemoryMax.Of(available, ulong.MaxValue);
        bytes = bytes < least ? least : bytes;
        bytes = bytes > most ? most : bytes;
        return bytes > available ? available : bytes;
    }

    /// <summary>A list of sizes: <c>1G</c>, <c>min:512M</c>, <c>max:25%</c>; of two of a kind the last one counts.</summary>
    internal static bool TryParseMemory(BootText value, BootOptions* options)
    {
        MemoryAmount exact = default;
        MemoryAmount least = default;
        MemoryAmount most = default;
        int position = 0;
        while (CommandLine.NextItem(value, ref position, out BootText item))
        {
            bool parsed;
            if (TextNumber.TryStrip(item, "min:"u8, out BootText rest))
            {
                parsed = TextNumber.TryParseShare(rest, &least);
            }
            else if (TextNumber.TryStrip(item, "max:"u8, out rest))
            {
                parsed = TextNumber.TryParseShare(rest, &most);
            }
            else
            {
                parsed = TextNumber.TryParseShare(item, &exact);
            }

            if (!parsed)
            {
                return false;
            }
        }

        options->Dom0Memory = exact;
        options->Dom0MemoryMin = least;
        options->Dom0MemoryMax = most;
        return exact.IsSet || least.IsSet || most.IsSet;
    }

    /// <summary>A number, or the least and the most as <c>2-4</c>, of which one may be missing.</summary>
    internal static bool TryParseVcpus(BootText value, BootOptions* options)
    {
        int dash = TextNumber.IndexOf(value, (byte)'-');
        BootText low = dash < 0 ? value : new BootText(value.Pointer, dash);
        BootText high = dash < 0 ? value : new BootText(value.Pointer + dash + 1, value.Length - dash - 1);
        uint least = 0;
        uint most = 0;
        if ((low.Length == 0 && high.Length == 0)
            || (low.Length != 0 && !TextNumber.TryParse(low, &least))
            || (high.Length != 0 && !TextNumber.TryParse(high, &most))
            || (high.Length != 0 && (most == 0 || most < least)))
        {
            return false;
        }

        options->Dom0MinVcpus = least;
        options->Dom0MaxVcpus = most;
        return true;
    }
}
