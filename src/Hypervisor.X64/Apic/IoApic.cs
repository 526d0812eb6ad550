// SPDX-License-Identifier: MIT
// I/O APICs (Intel 82093AA data sheet, ICH9 §13.5): each has an index and a data register and serves a range of
// global system interrupts (GSI), one redirection entry of 64 bits a pin. The low words are kept in memory too, so
// that masking is one write. A level-triggered pin stays asserted in the entry (remote IRR) until the local APIC's
// EOI has been broadcast.
//
// Locking: s_lock covers index and data registers and the copies; taken with interrupts off, nothing is taken inside.

using System.Runtime;
using Hypervisor.Core.Acpi;

namespace Hypervisor.X64.Apic;

/// <summary>All I/O APICs of the machine, by GSI.</summary>
public static unsafe class IoApic
{
    /// <summary>GSIs that can be served; larger ones do not occur below servers with many controllers.</summary>
    public const int MaxGsis = 256;

    private const int MaxPins = 240;
    private const uint RegisterId = 0;
    private const uint RegisterVersion = 1;
    private const uint RegisterArbitration = 2;
    private const uint FirstEntry = 0x10;
    private const uint Masked = 1 << 16;
    private const uint LevelTriggered = 1 << 15;
    private const uint RemoteIrr = 1 << 14;
    private const uint ActiveLow = 1 << 13;
    private const uint VersionWithEoi = 0x20;
    private const int DataOffset = 0x10;
    private const int EoiOffset = 0x40;

    private static State s_state;
    private static SpinLock s_lock;

    /// <summary>Controllers that answered.</summary>
    public static int Count => s_state.Count;

    /// <summary>One more than the highest GSI that a pin serves.</summary>
    public static uint GsiCount { get; private set; }

    /// <summary>Maps every controller that the tables name and masks all its pins.</summary>
    /// <returns>Controllers that answered.</returns>
    public static int Discover(AcpiInformation* acpi)
    {
        fixed (State* state = &s_state)
        {
            for (int i = 0; i < MaxGsis; i++)
            {
                state->Controller[i] = State.None;
            }

            for (int i = 0; i < acpi->IoApicCount; i++)
            {
                Add(state, acpi->IoApic(i));
            }

            return state->Count;
        }
    }

    /// <summary>True when some pin serves the GSI.</summary>
    [RuntimeExport("ioapic_serves")]
    public static bool Serves(uint gsi)
    {
        fixed (State* state = &s_state)
        {
            return gsi < MaxGsis && state->Controller[gsi] != State.None;
        }
    }

    /// <summary>Writes the redirection entry of a GSI: fixed delivery, physical destination; it stays or becomes
    /// masked.</summary>
    [RuntimeExport("ioapic_program")]
    public static void Program(uint gsi, int vector, uint apicId, bool isLevel, bool isActiveLow)
    {
        uint low = (uint)vector | Masked | (isLevel ? LevelTriggered : 0) | (isActiveLow ? ActiveLow : 0);
        fixed (State* state = &s_state)
        {
            if (!Serves(gsi))
            {
                return;
            }

            s_lock.Acquire();

            // Masked before the destination changes: no half of an old entry joins half of a new one.
            WriteLow(state, gsi, low);
            WriteRegister(state, state->Controller[gsi], EntryOf(state, gsi) + 1, apicId << 24);
            s_lock.Release();
        }
    }

    [RuntimeExport("ioapic_mask")]
    public static void Mask(uint gsi) => SetMask(gsi, true);

    [RuntimeExport("ioapic_unmask")]
    public static void Unmask(uint gsi) => SetMask(gsi, false);

    /// <summary>Moves the interrupt to another CPU; takes effect with the next one.</summary>
    [RuntimeExport("ioapic_set_destination")]
    public static void SetDestination(uint gsi, uint apicId)
    {
        fixed (State* state = &s_state)
        {
            if (!Serves(gsi))
            {
                return;
            }

            s_lock.Acquire();
            uint low = state->Low[gsi];
            WriteLow(state, gsi, low | Masked);
            WriteRegister(state, state->Controller[gsi], EntryOf(state, gsi) + 1, apicId << 24);
            WriteLow(state, gsi, low);
            s_lock.Release();
        }
    }

    /// <summary>
    /// Frees a level-triggered pin whose EOI was lost, because the entry's vector changed meanwhile or an EOI found no
    /// listener: by the controller's own EOI register, or, where it has none, by passing through edge mode.
    /// </summary>
    [RuntimeExport("ioapic_clear_stuck")]
    public static void ClearStuck(uint gsi)
    {
        fixed (State* state = &s_state)
        {
            if (!Serves(gsi))
            {
                return;
            }

            s_lock.Acquire();
            byte controller = state->Controller[gsi];
            uint found = ReadRegister(state, controller, EntryOf(state, gsi));
            if ((found & RemoteIrr) != 0)
            {
                uint low = state->Low[gsi];
                if (state->Version[controller] >= VersionWithEoi)
                {
                    Machine.WriteDevice32((byte*)state->Registers[controller] + EoiOffset, low & 0xFF);
                }
                else
                {
                    WriteLow(state, gsi, (low | Masked) & ~LevelTriggered);
                    WriteLow(state, gsi, low | Masked);
                    WriteLow(state, gsi, low);
                }
            }

            s_lock.Release();
        }
    }

    /// <summary>True when a controller's registers lie in the frame: guests must not map it.</summary>
    public static bool OwnsFrame(Mfn frame)
    {
        fixed (State* state = &s_state)
        {
            for (int i = 0; i < state->Count; i++)
            {
                if (state->Physical[i] >> MemoryLayout.PageShift == frame.Raw)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Reads the identification, version or arbitration register, or a redirection entry, of the controller
    /// at a physical address; false where there is no such register.</summary>
    [RuntimeExport("ioapic_read_register")]
    public static bool TryReadRegister(ulong physical, uint register, uint* value)
    {
        fixed (State* state = &s_state)
        {
            for (byte i = 0; i < state->Count; i++)
            {
                if (state->Physical[i] != physical)
                {
                    continue;
                }

                bool exists = register <= RegisterArbitration
                    || (register >= FirstEntry && register < FirstEntry + (2u * state->Pins[i]));
                if (exists)
                {
                    s_lock.Acquire();
                    *value = ReadRegister(state, i, register);
                    s_lock.Release();
                }

                return exists;
            }
        }

        return false;
    }

    private static void Add(State* state, AcpiIoApic found)
    {
        byte* registers = (byte*)DeviceMemory.Map(found.Address & ~MemoryLayout.PageMask, MemoryLayout.PageSize);
        if (registers == null)
        {
            return;
        }

        byte number = (byte)state->Count;
        state->Registers[number] = (ulong)(registers + (found.Address & MemoryLayout.PageMask));
        uint version = ReadRegister(state, number, RegisterVersion);
        uint pins = (version >> 16 & 0xFF) + 1;
        if (version is 0 or 0xFFFF_FFFF || pins > MaxPins || found.GsiBase >= MaxGsis)
        {
            Log.Warning("I/O APIC at "u8).Hex(found.Address).Text(" does not answer as one, left out"u8).End();
            return;
        }

        pins = found.GsiBase + pins > MaxGsis ? MaxGsis - found.GsiBase : pins;
        state->Physical[number] = found.Address;
        state->Version[number] = (byte)version;
        state->Pins[number] = (byte)pins;
        state->GsiBase[number] = found.GsiBase;
        state->Count++;
        for (uint gsi = found.GsiBase; gsi < found.GsiBase + pins; gsi++)
        {
            if (state->Controller[gsi] != State.None)
            {
                continue; // two controllers claim it: the first one has it
            }

            state->Controller[gsi] = number;
            WriteLow(state, gsi, Masked);
            WriteRegister(state, number, EntryOf(state, gsi) + 1, 0);
        }

        GsiCount = found.GsiBase + pins > GsiCount ? found.GsiBase + pins : GsiCount;
    }

    private static void SetMask(uint gsi, bool masked)
    {
        fixed (State* state = &s_state)
        {
            if (!Serves(gsi))
            {
                return;
            }

            s_lock.Acquire();
            uint low = state->Low[gsi];
            uint wanted = masked ? low | Masked : low & ~Masked;
            if (wanted != low)
            {
                WriteLow(state, gsi, wanted);
            }

            s_lock.Release();
        }
    }

    private static uint EntryOf(State* state, uint gsi) =>
        FirstEntry + (2 * (gsi - state->GsiBase[state->Controller[gsi]]));

    private static void WriteLow(State* state, uint gsi, uint low)
    {
        state->Low[gsi] = low;
        WriteRegister(state, state->Controller[gsi], EntryOf(state, gsi), low);
    }

    private static uint ReadRegister(State* state, byte controller, uint register)
    {
        byte* registers = (byte*)state->Registers[controller];
        Machine.WriteDevice32(registers, register);
        return Machine.ReadDevice32(registers + DataOffset);
    }

    private static void WriteRegister(State* state, byte controller, uint register, uint value)
    {
        byte* registers = (byte*)state->Registers[controller];
        Machine.WriteDevice32(registers, register);
        Machine.WriteDevice32(registers + DataOffset, value);
    }

    private struct State
    {
        public const byte None = 0xFF;

        public int Count;
        public fixed ulong Registers[AcpiInformation.MaxIoApics];
        public fixed ulong Physical[AcpiInformation.MaxIoApics];
        public fixed uint GsiBase[AcpiInformation.MaxIoApics];
        public fixed byte Pins[AcpiInformation.MaxIoApics];
        public fixed byte Version[AcpiInformation.MaxIoApics];

        // By GSI: the controller that serves it, and the low word of its entry.
        public fixed byte Controller[MaxGsis];
        public fixed uint Low[MaxGsis];
    }
}
