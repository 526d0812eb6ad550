// SPDX-License-Identifier: MIT

using System.Runtime;
using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.X64.Boot;

/// <summary>Walks the RBP chain that every compiled method keeps; tools/symbolise finds the source lines of the addresses.</summary>
public static unsafe class CallChain
{
    private const int MaxDepth = 24;

    /// <summary>Prints return addresses from <paramref name="framePointer"/> on, as far as the chain is sound.</summary>
    public static void Print(ulong framePointer)
    {
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            if (framePointer < MemoryLayout.ImageBase || framePointer >= MemoryLayout.DeviceMemory
                || (framePointer & 7) != 0)
            {
                return;
            }

            ulong* frame = (ulong*)framePointer;
            ulong address = frame[1];
            if (address < ImageLayout.Start || address >= ImageLayout.TextEnd)
            {
                return;
            }

            MethodNames.Print(address, isReturn: true);
            if (frame[0] <= framePointer)
            {
                return;
            }

            framePointer = frame[0];
        }
    }

    /// <summary>Prints where an exception struck, and from there on.</summary>
    public static void Print(CpuUserRegs* frame)
    {
        if (frame->Rip >= ImageLayout.Start && frame->Rip < ImageLayout.TextEnd)
        {
            MethodNames.Print(frame->Rip, isReturn: false);
        }

        Print(frame->Rbp);
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "cpu_frame_pointer")]
    public static extern ulong CurrentFrame();
}
