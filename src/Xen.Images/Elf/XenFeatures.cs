// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// The text form of feature sets in kernels: names of the public header <c>features.h</c> without <c>XENFEAT_</c>,
/// separated by '|', '!' before one that the kernel cannot do without.
/// </summary>
public static class XenFeatures
{
    public const int Dom0 = 11;

    private const int BitLimit = 18;

    /// <summary>
    /// Adds what a text names to two bit sets. A name that is not known is an error only if it is required.
    /// </summary>
    public static unsafe ImageError Parse(in NoteText text, ref uint supported, ref uint required)
    {
        byte* cursor = text.Start;
        byte* end = cursor + text.Length;
        while (cursor < end)
        {
            byte* nameEnd = cursor;
            while (nameEnd < end && *nameEnd != (byte)'|')
            {
                nameEnd++;
            }

            bool isRequired = *cursor == (byte)'!';
            byte* name = isRequired ? cursor + 1 : cursor;
            uint bit = Find(new NoteText { Start = name, Length = (nuint)(nameEnd - name) });
            if (bit == 0 && isRequired)
            {
                return ImageError.NoteUnknownRequiredFeature;
            }

            supported |= bit;
            required |= isRequired ? bit : 0;
            cursor = nameEnd < end ? nameEnd + 1 : end;
        }

        return ImageError.Ok;
    }

    private static uint Find(in NoteText name)
    {
        for (int bit = 0; bit < BitLimit; bit++)
        {
            if (name.Length != 0 && name.Is(Name(bit)))
            {
                return 1u << bit;
            }
        }

        return 0;
    }

    private static System.ReadOnlySpan<byte> Name(int bit) => bit switch
    {
        0 => "writable_page_tables"u8,
        1 => "writable_descriptor_tables"u8,
        2 => "auto_translated_physmap"u8,
        3 => "supervisor_mode_kernel"u8,
        4 => "pae_pgdir_above_4gb"u8,
        5 => "mmu_pt_update_preserve_ad"u8,
        6 => "highmem_assist"u8,
        7 => "gnttab_map_avail_bits"u8,
        8 => "hvm_callback_vector"u8,
        9 => "hvm_safe_pvclock"u8,
        10 => "hvm_pirqs"u8,
        Dom0 => "dom0"u8,
        12 => "grant_map_identity"u8,
        13 => "memory_op_vnode_supported"u8,
        14 => "ARM_SMCCC_supported"u8,
        15 => "linux_rsdp_unrestricted"u8,
        16 => "not_direct_mapped"u8,
        17 => "direct_mapped"u8,
        _ => default,
    };
}
