// SPDX-License-Identifier: MIT
// One letter, one report. The switch is the table: a key that is added gets its line in Handle and its line in Help.

using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Console;

/// <summary>Keys for whoever debugs the machine, typed on the serial line or sent by XEN_SYSCTL_debug_keys.</summary>
public static class DebugKeys
{
    public static void Handle(byte key)
    {
        switch (key)
        {
            case (byte)'h':
                Help();
                break;
            case (byte)'i':
                IrqTable.Dump();
                break;
            case (byte)'m':
                Memory();
                break;
            default:
                break;
        }
    }

    private static void Memory()
    {
        const int shift = MemoryLayout.PageShift - 10;
        Log.Error("memory: "u8).Decimal(PageAllocator.FreeFrames << shift).Text("kB free of "u8)
            .Decimal(HostMemoryMap.RamFrames << shift).Text("kB"u8).End();
    }

    private static void Help()
    {
        Log.Error("keys:"u8).End();
        Log.Error("  h  this help"u8).End();
        Log.Error("  i  interrupts and their bindings"u8).End();
        Log.Error("  m  free memory"u8).End();
    }
}
