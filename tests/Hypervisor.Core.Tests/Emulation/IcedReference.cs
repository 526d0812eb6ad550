// SPDX-License-Identifier: MIT
using Hypervisor.Core.Emulation;
using Iced.Intel;

namespace Hypervisor.Core.Tests.Emulation;

/// <summary>What the decoder under test has to make of an instruction, according to Iced.</summary>
internal static class IcedReference
{
    public static InstructionKind Kind(in Instruction instruction)
    {
        bool memoryTarget = instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Memory;
        switch (instruction.Code)
        {
            case Code.Mov_r32_cr or Code.Mov_r64_cr:
                return InstructionKind.MovFromControl;
            case Code.Mov_cr_r32 or Code.Mov_cr_r64:
                return InstructionKind.MovToControl;
            case Code.Mov_r32_dr or Code.Mov_r64_dr:
                return InstructionKind.MovFromDebug;
            case Code.Mov_dr_r32 or Code.Mov_dr_r64:
                return InstructionKind.MovToDebug;
            case Code.Mov_moffs8_AL or Code.Mov_moffs16_AX or Code.Mov_moffs32_EAX or Code.Mov_moffs64_RAX:
            case Code.Mov_rm16_Sreg or Code.Mov_r32m16_Sreg or Code.Mov_r64m16_Sreg:
                return InstructionKind.Unsupported;
            case Code.Movsb_m8_m8 or Code.Movsw_m16_m16 or Code.Movsd_m32_m32 or Code.Movsq_m64_m64:
                return InstructionKind.Movs;
            case Code.Stosb_m8_AL or Code.Stosw_m16_AX or Code.Stosd_m32_EAX or Code.Stosq_m64_RAX:
                return InstructionKind.Stos;
            case Code.Insb_m8_DX or Code.Insw_m16_DX or Code.Insd_m32_DX:
                return InstructionKind.Ins;
            case Code.Outsb_DX_m8 or Code.Outsw_DX_m16 or Code.Outsd_DX_m32:
                return InstructionKind.Outs;
        }

        InstructionKind kind = instruction.Mnemonic switch
        {
            Mnemonic.Mov => InstructionKind.Mov,
            Mnemonic.Movnti => InstructionKind.Mov,
            Mnemonic.Xchg => InstructionKind.Xchg,
            Mnemonic.Cmpxchg => InstructionKind.Cmpxchg,
            Mnemonic.Cmpxchg8b => InstructionKind.Cmpxchg8b,
            Mnemonic.Cmpxchg16b => InstructionKind.Cmpxchg16b,
            Mnemonic.Xadd => InstructionKind.Xadd,
            Mnemonic.Add => InstructionKind.Add,
            Mnemonic.Or => InstructionKind.Or,
            Mnemonic.And => InstructionKind.And,
            Mnemonic.Sub => InstructionKind.Sub,
            Mnemonic.Xor => InstructionKind.Xor,
            Mnemonic.Bts => InstructionKind.Bts,
            Mnemonic.Btr => InstructionKind.Btr,
            Mnemonic.Btc => InstructionKind.Btc,
            _ => InstructionKind.Unsupported,
        };
        if (kind != InstructionKind.Unsupported)
        {
            return memoryTarget ? kind : InstructionKind.Unsupported;
        }

        return instruction.Mnemonic switch
        {
            Mnemonic.In => InstructionKind.In,
            Mnemonic.Out => InstructionKind.Out,
            Mnemonic.Cli => InstructionKind.Cli,
            Mnemonic.Sti => InstructionKind.Sti,
            Mnemonic.Hlt => InstructionKind.Hlt,
            Mnemonic.Invd => InstructionKind.Invd,
            Mnemonic.Wbinvd or Mnemonic.Wbnoinvd => InstructionKind.Wbinvd,
            Mnemonic.Clts => InstructionKind.Clts,
            Mnemonic.Rdmsr => InstructionKind.Rdmsr,
            Mnemonic.Wrmsr => InstructionKind.Wrmsr,
            Mnemonic.Rdtsc => InstructionKind.Rdtsc,
            Mnemonic.Rdtscp => InstructionKind.Rdtscp,
            Mnemonic.Rdpmc => InstructionKind.Rdpmc,
            Mnemonic.Xgetbv => InstructionKind.Xgetbv,
            Mnemonic.Xsetbv => InstructionKind.Xsetbv,
            Mnemonic.Invlpg => InstructionKind.Invlpg,
            Mnemonic.Lmsw => InstructionKind.Lmsw,
            Mnemonic.Smsw => InstructionKind.Smsw,
            Mnemonic.Sgdt => InstructionKind.Sgdt,
            Mnemonic.Sidt => InstructionKind.Sidt,
            Mnemonic.Sldt => InstructionKind.Sldt,
            Mnemonic.Str => InstructionKind.Str,
            Mnemonic.Lgdt => InstructionKind.Lgdt,
            Mnemonic.Lidt => InstructionKind.Lidt,
            Mnemonic.Lldt => InstructionKind.Lldt,
            Mnemonic.Ltr => InstructionKind.Ltr,
            Mnemonic.Swapgs => InstructionKind.Swapgs,
            Mnemonic.Cpuid => InstructionKind.Cpuid,
            Mnemonic.Rdfsbase => InstructionKind.Rdfsbase,
            Mnemonic.Rdgsbase => InstructionKind.Rdgsbase,
            Mnemonic.Wrfsbase => InstructionKind.Wrfsbase,
            Mnemonic.Wrgsbase => InstructionKind.Wrgsbase,
            _ => InstructionKind.Unsupported,
        };
    }

    /// <summary>Number of a general register as ModRM has it; AH to BH count from 0.</summary>
    public static int Number(Register register) => register switch
    {
        Register.AH => 0,
        Register.CH => 1,
        Register.DH => 2,
        Register.BH => 3,
        _ => register.GetFullRegister().GetNumber(),
    };

    public static bool IsHighByte(Register register) =>
        register is Register.AH or Register.CH or Register.DH or Register.BH;
}
