// SPDX-License-Identifier: MIT
// What each processor is about. Registers and clocks of another CPU are its own to tell: CpuQuestions carries the
// question there. The others go on meanwhile.

using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug keys 0, d, c, n, s, t and T.</summary>
public static unsafe class ProcessorDump
{
    /// <summary>Readings of another CPU's clock, of which the closest counts.</summary>
    private const int SkewReadings = 4;

    /// <summary>The guest whose registers this CPU holds, and the registers.</summary>
    public static void PrintThisCpu()
    {
        CpuInfo* cpu = Machine.Cpu;
        Vcpu* vcpu = (Vcpu*)cpu->Current;
        LogLine line = Log.Error("CPU "u8).Decimal(cpu->CpuId).Text(": "u8);
        bool isIdle = CpuScheduler.Of(cpu)->Policy.Running == null;
        if (vcpu == null)
        {
            line.Text("idle, holds no guest's registers"u8).End();
            return;
        }

        line.Text(isIdle ? "idle, last ran d"u8 : "runs d"u8).Decimal((uint)vcpu->Domain->Id).Text("v"u8)
            .Decimal(vcpu->Id).Text(vcpu->InKernelMode ? " in its kernel"u8 : " in user mode"u8)
            .Text(", CR3 "u8).Hex(Machine.ReadCr3(), 9).Text(", CR2 "u8).Hex(Machine.ReadCr2()).End();
        PrintRegisters(&cpu->Guest);
    }

    /// <summary>Registers of all vCPUs of Domain-0, as last known to the hypervisor.</summary>
    public static void PrintDomain0()
    {
        Domain* domain = DomainTable.TryGet(0);
        if (domain == null)
        {
            Log.Error("there is no Domain-0"u8).End();
            return;
        }

        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu == null)
            {
                continue;
            }

            uint cpu = vcpu->LoadedOn;
            LogLine line = Log.Error("d0v"u8).Decimal(id).Text(": kernel root "u8).Hex(vcpu->KernelRoot.Raw);
            bool isLoaded = cpu < Machine.OnlineCpus;
            line = isLoaded ? line.Text(", on CPU "u8).Decimal(cpu) : line.Text(", not loaded"u8);
            line.End();
            PrintRegisters(isLoaded ? &Machine.CpuOf(cpu)->Guest : &vcpu->Registers);
        }

        _ = DomainTable.Put(domain);
    }

    /// <summary>What CPUs do when there is nothing to do, and how long they did.</summary>
    public static void PrintIdle()
    {
        Log.Error("idle CPUs halt (C1); no deeper state is used, frequencies are the firmware's"u8).End();
        ulong now = SystemTime.Now();
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            ulong idle = VcpuScheduling.IdleTime(cpu);
            Log.Error("  CPU "u8).Decimal(cpu).Text(": idle "u8).Decimal(idle).Text(" of "u8).Decimal(now)
                .Text(" ns ("u8).Decimal(now < 100 ? 0 : idle / (now / 100)).Text("%)"u8).End();
        }
    }

    public static void PrintNmis()
    {
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            Log.Error("CPU "u8).Decimal(cpu).Text(": NMIs "u8).Decimal(Machine.CpuOf(cpu)->NmiCount).End();
        }
    }

    /// <summary>The clock, and which domains asked for another view of it.</summary>
    public static void PrintClock()
    {
        Log.Error("time stamp counter: "u8).Decimal(SystemTime.TscHz / 1000).Text(" kHz, "u8)
            .Text(SystemTime.IsTscStable ? "stable for guests"u8 : "not stable: guests guard against it"u8)
            .Text(", scale "u8).Hex(SystemTime.Scale).Text(", system time "u8).Decimal(SystemTime.Now())
            .Text(" ns"u8).End();
        Log.Error("watched by the "u8).Text(TscCalibration.NameOf(ClockWatch.Timer)).Text(", pace corrected "u8)
            .Decimal(ClockWatch.Corrections).Text(" times"u8).End();
        Log.Error("wall clock: "u8).Decimal(Wallclock.BootSeconds).Text(" s "u8)
            .Decimal(Wallclock.BootNanoseconds).Text(" ns since 1970 at system time zero"u8).End();
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            Log.Error("  domain "u8).Decimal((uint)domain->Id).Text(": TSC mode "u8)
                .Decimal(domain->Time.TscMode).Text(" (never emulated), incarnation "u8)
                .Decimal(domain->Time.TscIncarnation).Text(", offset "u8)
                .Decimal(domain->Time.OffsetSeconds).Text(" s"u8).End();
            _ = DomainTable.Put(domain);
        }
    }

    /// <summary>How far the counters of all CPUs are apart, as seen from this one.</summary>
    public static void PrintSkew()
    {
        ulong own = Machine.Cpu->CpuId;
        Log.Error("clocks as CPU "u8).Decimal(own).Text(" sees them:"u8).End();
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            if (cpu == own)
            {
                continue;
            }

            LogLine line = Log.Error("  CPU "u8).Decimal(cpu);
            ulong window = ulong.MaxValue;
            ulong first = 0;
            ulong theirs = 0;
            bool answers = true;
            for (int i = 0; i < SkewReadings && answers; i++)
            {
                answers = CpuQuestions.TryReadTsc(cpu, out ulong before, out ulong reading, out ulong after);
                if (answers && after - before < window)
                {
                    window = after - before;
                    first = before;
                    theirs = reading;
                }
            }

            if (!answers)
            {
                line.Text(": does not answer"u8).End();
                continue;
            }

            // The reading was made between the two: it differs from their middle by no more than half their distance.
            long skew = (long)(theirs - (first + (window / 2)));
            line.Text(": ahead by "u8).Decimal(skew).Text(" ticks, give or take "u8).Decimal(window / 2)
                .Text(theirs - first <= window ? ", none to be seen"u8 : ", apart"u8).End();
        }
    }

    /// <summary>The last notable events of each CPU.</summary>
    public static void PrintTraces()
    {
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            Log.Error("last events of CPU "u8).Decimal(cpu).Text(":"u8).End();
            Trace.Print(Machine.CpuOf(cpu));
        }
    }

    private static void PrintRegisters(CpuUserRegs* frame)
    {
        Log.Error("  RIP "u8).Hex(frame->Cs, 4).Text(":"u8).Hex(frame->Rip, 16).Text(" RSP "u8).Hex(frame->Ss, 4)
            .Text(":"u8).Hex(frame->Rsp, 16).Text(" FLAGS "u8).Hex(frame->Rflags).End();
        Line("  RAX "u8, frame->Rax, " RBX "u8, frame->Rbx, " RCX "u8, frame->Rcx, " RDX "u8, frame->Rdx);
        Line("  RSI "u8, frame->Rsi, " RDI "u8, frame->Rdi, " RBP "u8, frame->Rbp, " R8  "u8, frame->R8);
        Line("  R9  "u8, frame->R9, " R10 "u8, frame->R10, " R11 "u8, frame->R11, " R12 "u8, frame->R12);
        Log.Error("  R13 "u8).Hex(frame->R13, 16).Text(" R14 "u8).Hex(frame->R14, 16).Text(" R15 "u8)
            .Hex(frame->R15, 16).End();
    }

    private static void Line(
        System.ReadOnlySpan<byte> first, ulong firstValue, System.ReadOnlySpan<byte> second, ulong secondValue,
        System.ReadOnlySpan<byte> third, ulong thirdValue, System.ReadOnlySpan<byte> fourth, ulong fourthValue) =>
        Log.Error(first).Hex(firstValue, 16).Text(second).Hex(secondValue, 16).Text(third).Hex(thirdValue, 16)
            .Text(fourth).Hex(fourthValue, 16).End();
}
