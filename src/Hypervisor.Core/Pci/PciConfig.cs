// SPDX-License-Identifier: MIT
// Configuration space by the port mechanism: segment 0, 256 bytes a function. The address port is one register of the
// whole machine, so Domain-0's accesses come through here as well, each with the value it latched.
// Locking: s_lock covers the pair of ports; innermost.

using Hypervisor.Core.Interrupts;

namespace Hypervisor.Core.Pci;

/// <summary>Reads and writes PCI configuration space.</summary>
public static unsafe class PciConfig
{
    private const uint LatchMask = 0x80FF_FFFC;
    private static SpinLock s_lock;

    /// <summary>True when a device answers there.</summary>
    public static bool Exists(PciAddress address) =>
        address.Segment == 0 && Read(address, 0, 2) is not (0xFFFF or 0);

    /// <summary>Reads 1, 2 or 4 aligned bytes below register 100h.</summary>
    public static uint Read(PciAddress address, uint register, int bytes) =>
        address.Segment != 0
            ? Absent(bytes)
            : ReadRaw(address.Latch | (register & 0xFC), (int)(register & 3), bytes);

    public static void Write(PciAddress address, uint register, int bytes, uint value)
    {
        if (address.Segment == 0)
        {
            WriteRaw(address.Latch | (register & 0xFC), (int)(register & 3), bytes, value);
        }
    }

    /// <summary>An access to port CFCh + <paramref name="offset"/> by a domain that has latched
    /// <paramref name="latch"/>.</summary>
    public static uint ReadLatched(uint latch, int offset, int bytes) =>
        (uint)offset + (uint)bytes > 4 ? Absent(bytes) : ReadRaw(latch & LatchMask, offset, bytes);

    /// <summary>As <see cref="ReadLatched"/>. Writes to what the hypervisor has put into a message capability
    /// vanish.</summary>
    public static void WriteLatched(uint latch, int offset, int bytes, uint value)
    {
        uint register = (latch & 0xFC) + (uint)offset;
        if ((uint)offset + (uint)bytes <= 4
            && !MessageInterrupts.IsProtected(PciAddress.OfLatch(latch), register, (uint)bytes))
        {
            WriteRaw(latch & LatchMask, offset, bytes, value);
        }
    }

    /// <summary>A domain's write to a function's registers: what the hypervisor has put into a message capability
    /// stays.</summary>
    public static void WriteFiltered(PciAddress address, uint register, int bytes, uint value)
    {
        if (!MessageInterrupts.IsProtected(address, register, (uint)bytes))
        {
            Write(address, register, bytes, value);
        }
    }

    private static uint Absent(int bytes) => bytes == 4 ? 0xFFFF_FFFF : (1u << (8 * bytes)) - 1;

    private static uint ReadRaw(uint latch, int offset, int bytes)
    {
        s_lock.Acquire();
        uint value = Machine.ReadPciConfig(latch, offset, bytes);
        s_lock.Release();
        return value;
    }

    private static void WriteRaw(uint latch, int offset, int bytes, uint value)
    {
        s_lock.Acquire();
        Machine.WritePciConfig(latch, offset, bytes, value);
        s_lock.Release();
    }
}
