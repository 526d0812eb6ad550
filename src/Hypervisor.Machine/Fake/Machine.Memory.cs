// SPDX-License-Identifier: MIT

using System.Threading;

namespace Hypervisor;

public static unsafe partial class Machine
{
    public static void* FrameTable => FakeMachine.Current.FrameTable;

    public static ulong* MachineToPhysical => FakeMachine.Current.MachineToPhysical;

    public static void* Direct(ulong physicalAddress) => FakeMachine.Current.At(physicalAddress);

    public static void* Direct(Mfn mfn) => FakeMachine.Current.At(mfn.Address);

    public static ulong PhysicalOf(void* direct) => (ulong)((byte*)direct - FakeMachine.Current.Memory);

    public static nuint CopyFromGuest(void* target, ulong source, nuint length) =>
        FakeMachine.Current.CopyGuest(source, (byte*)target, length, isWrite: false);

    public static nuint CopyToGuest(ulong target, void* source, nuint length) =>
        FakeMachine.Current.CopyGuest(target, (byte*)source, length, isWrite: true);

    public static bool ReadGuestWords(ulong* target, ulong source, nuint count) =>
        CopyFromGuest(target, source, count * sizeof(ulong)) == 0;

    public static bool WriteGuestWords(ulong target, ulong* source, nuint count) =>
        CopyToGuest(target, source, count * sizeof(ulong)) == 0;

    public static bool WriteBounceFrame(ulong stack, BounceFrame* frame, bool hasError)
    {
        ulong* words = (ulong*)frame;
        if (CopyToGuest(stack, words, 2 * sizeof(ulong)) != 0)
        {
            return false;
        }

        ulong* rest = hasError ? words + 2 : words + 3;
        return CopyToGuest(stack + (2 * sizeof(ulong)), rest, (nuint)(hasError ? 6 : 5) * sizeof(ulong)) == 0;
    }

    public static int CompareExchangeGuest(ulong address, ulong* expected, ulong replacement)
    {
        if (FakeMachine.Current.Translate(address, isWrite: true) is not ulong physical)
        {
            return 2;
        }

        ulong wanted = *expected;
        ulong found = Interlocked.CompareExchange(
            ref *(ulong*)FakeMachine.Current.At(physical), replacement, wanted);
        *expected = found;
        return found == wanted ? 0 : 1;
    }

    public static uint ReadDevice32(void* address) => Volatile.Read(ref *(uint*)address);

    public static void WriteDevice32(void* address, uint value) => Volatile.Write(ref *(uint*)address, value);
}
