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

    public static bool ReadGuest4(void* target, ulong source) => CopyFromGuest(target, source, 4) == 0;

    public static bool ReadGuest8(void* target, ulong source) => CopyFromGuest(target, source, 8) == 0;

    public static bool ReadGuest16(void* target, ulong source) => CopyFromGuest(target, source, 16) == 0;

    public static bool ReadGuest24(void* target, ulong source) => CopyFromGuest(target, source, 24) == 0;

    public static bool ReadGuest32(void* target, ulong source) => CopyFromGuest(target, source, 32) == 0;

    public static bool ReadGuest40(void* target, ulong source) => CopyFromGuest(target, source, 40) == 0;

    public static bool ReadGuest48(void* target, ulong source) => CopyFromGuest(target, source, 48) == 0;

    public static bool ReadGuest56(void* target, ulong source) => CopyFromGuest(target, source, 56) == 0;

    public static bool ReadGuest64(void* target, ulong source) => CopyFromGuest(target, source, 64) == 0;

    public static bool ReadGuest72(void* target, ulong source) => CopyFromGuest(target, source, 72) == 0;

    public static bool ReadGuest80(void* target, ulong source) => CopyFromGuest(target, source, 80) == 0;

    public static bool WriteGuest4(ulong target, void* source) => CopyToGuest(target, source, 4) == 0;

    public static bool WriteGuest8(ulong target, void* source) => CopyToGuest(target, source, 8) == 0;

    public static bool WriteGuest16(ulong target, void* source) => CopyToGuest(target, source, 16) == 0;

    public static bool WriteGuest24(ulong target, void* source) => CopyToGuest(target, source, 24) == 0;

    public static bool WriteGuest32(ulong target, void* source) => CopyToGuest(target, source, 32) == 0;

    public static bool LoadIretFrame(Xen.Abi.CpuUserRegs* frame, ulong stack, ulong* rest)
    {
        ulong* words = stackalloc ulong[9];
        if (CopyFromGuest(words, stack, 9 * sizeof(ulong)) != 0)
        {
            return false;
        }

        frame->Rax = words[0];
        frame->R11 = words[1];
        frame->Rcx = words[2];
        rest[0] = words[3];
        frame->Rip = words[4];
        rest[1] = words[5];
        rest[2] = words[6];
        frame->Rsp = words[7];
        rest[3] = words[8];
        return true;
    }

    public static bool PushBounceFrame(
        Xen.Abi.CpuUserRegs* frame, ulong stack, ulong cs, ulong flags, ulong error, bool hasError)
    {
        ulong* words = stackalloc ulong[8];
        int count = 0;
        words[count++] = frame->Rcx;
        words[count++] = frame->R11;
        if (hasError)
        {
            words[count++] = error;
        }

        words[count++] = frame->Rip;
        words[count++] = cs;
        words[count++] = flags;
        words[count++] = frame->Rsp;
        words[count++] = frame->Ss;
        return CopyToGuest(stack, words, (nuint)count * sizeof(ulong)) == 0;
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
