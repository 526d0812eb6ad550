// SPDX-License-Identifier: MIT
// Architectural bits, spelled as in the Intel SDM Vol. 3A (§2.5 control registers, §2.3 RFLAGS) and Vol. 4 (MSRs).

namespace Hypervisor;

public static class Rflags
{
    public const ulong Cf = 1 << 0;
    public const ulong Tf = 1 << 8;
    public const ulong If = 1 << 9;
    public const ulong Df = 1 << 10;
    public const ulong Iopl = 3 << 12;
    public const ulong Nt = 1 << 14;
    public const ulong Rf = 1 << 16;
    public const ulong Vm = 1 << 17;
    public const ulong Ac = 1 << 18;
    public const ulong Vif = 1 << 19;
    public const ulong Vip = 1 << 20;
}

public static class Cr0
{
    public const ulong Pe = 1 << 0;
    public const ulong Mp = 1 << 1;
    public const ulong Em = 1 << 2;
    public const ulong Ts = 1 << 3;
    public const ulong Et = 1 << 4;
    public const ulong Ne = 1 << 5;
    public const ulong Wp = 1 << 16;
    public const ulong Am = 1 << 18;
    public const ulong Pg = 1UL << 31;
}

public static class Cr4
{
    public const ulong Vme = 1 << 0;
    public const ulong Pvi = 1 << 1;
    public const ulong Tsd = 1 << 2;
    public const ulong De = 1 << 3;
    public const ulong Pse = 1 << 4;
    public const ulong Pae = 1 << 5;
    public const ulong Mce = 1 << 6;
    public const ulong Pge = 1 << 7;
    public const ulong Pce = 1 << 8;
    public const ulong OsFxsr = 1 << 9;
    public const ulong OsXmmExcept = 1 << 10;
    public const ulong Umip = 1 << 11;
    public const ulong FsGsBase = 1 << 16;
    public const ulong OsXsave = 1 << 18;
    public const ulong Smep = 1 << 20;
    public const ulong Smap = 1 << 21;
}

public static class Msr
{
    public const uint Tsc = 0x10;
    public const uint ApicBase = 0x1B;
    public const uint PredictionCommand = 0x49;
    public const uint SysenterCs = 0x174;
    public const uint SysenterEsp = 0x175;
    public const uint SysenterEip = 0x176;
    public const uint Pat = 0x277;
    public const uint TscDeadline = 0x6E0;
    public const uint Efer = 0xC000_0080;
    public const uint Star = 0xC000_0081;
    public const uint Lstar = 0xC000_0082;
    public const uint Cstar = 0xC000_0083;
    public const uint Fmask = 0xC000_0084;
    public const uint FsBase = 0xC000_0100;
    public const uint GsBase = 0xC000_0101;
    public const uint KernelGsBase = 0xC000_0102;
    public const uint TscAux = 0xC000_0103;
}

public static class Efer
{
    public const ulong Sce = 1 << 0;
    public const ulong Lme = 1 << 8;
    public const ulong Lma = 1 << 10;
    public const ulong Nxe = 1 << 11;
}

public static class Vector
{
    public const int DivideError = 0;
    public const int Debug = 1;
    public const int Nmi = 2;
    public const int Breakpoint = 3;
    public const int Overflow = 4;
    public const int BoundRange = 5;
    public const int InvalidOpcode = 6;
    public const int DeviceNotAvailable = 7;
    public const int DoubleFault = 8;
    public const int CoprocessorOverrun = 9;
    public const int InvalidTss = 10;
    public const int SegmentNotPresent = 11;
    public const int StackSegment = 12;
    public const int GeneralProtection = 13;
    public const int PageFault = 14;
    public const int FloatingPoint = 16;
    public const int AlignmentCheck = 17;
    public const int MachineCheck = 18;
    public const int SimdFloatingPoint = 19;

    // Vectors of the hypervisor: fixed ones at the top, devices in between.
    public const int FirstDynamic = 0x20;
    public const int LegacySyscall = 0x80;
    public const int Hypercall = 0x82;
    public const int LastDynamic = 0xEF;
    public const int Timer = 0xF8;
    public const int EventCheck = 0xF9;
    public const int FlushTlb = 0xFA;
    public const int Error = 0xFE;
    public const int Spurious = 0xFF;
}
