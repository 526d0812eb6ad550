// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>The page of 128 stubs that older kernels call: each sets rax and makes the SYSCALL.</summary>
public static unsafe class HypercallPage
{
    private const int Stubs = 128;
    private const int StubSize = 32;
    private const int Iret = 23;

    /// <summary>Fills a frame of the domain. Inval: not the domain's, or not writable memory.</summary>
    public static Errno Fill(Domain* domain, Mfn mfn)
    {
        if (!FrameTable.IsValid(mfn) || !PageReference.TryGetWritable(FrameTable.Page(mfn), domain))
        {
            return Errno.Inval;
        }

        Write((byte*)Machine.Direct(mfn));
        PageReference.PutWritable(FrameTable.Page(mfn));
        return Errno.Ok;
    }

    /// <summary>Writes the stubs into a page.</summary>
    public static void Write(byte* page)
    {
        for (int number = 0; number < Stubs; number++)
        {
            byte* stub = page + (number * StubSize);
            int length = 0;
            for (int index = 0; index < StubSize; index++)
            {
                stub[index] = 0xCC;
            }

            if (number == Iret)
            {
                // push rcx; push r11; push rax: the frame of iret begins with them; it does not return.
                stub[length++] = 0x51;
                stub[length++] = 0x41;
                stub[length++] = 0x53;
                stub[length++] = 0x50;
            }
            else
            {
                // push rcx; push r11: SYSCALL destroys them.
                stub[length++] = 0x51;
                stub[length++] = 0x41;
                stub[length++] = 0x53;
            }

            stub[length++] = 0xB8;
            *(int*)(stub + length) = number;
            length += 4;
            stub[length++] = 0x0F;
            stub[length++] = 0x05;
            if (number != Iret)
            {
                // pop r11; pop rcx; ret
                stub[length++] = 0x41;
                stub[length++] = 0x5B;
                stub[length++] = 0x59;
                stub[length++] = 0xC3;
            }
        }
    }
}
