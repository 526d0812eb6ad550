// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Iced.Intel;
using Xen.Abi;
using static Iced.Intel.AssemblerRegisters;

namespace Hypervisor.Core.Tests.Emulation;

/// <summary>Executes single instructions on the processor at hand, with all registers but RSP given.</summary>
internal sealed unsafe class NativeProcessor : IDisposable
{
    private readonly GuardedPage _page = new();

    /// <summary>Runs an instruction; its own RIP and RSP are of no account.</summary>
    public void Execute(ReadOnlySpan<byte> instruction, CpuUserRegs* registers)
    {
        Assembler assembler = new(64);
        assembler.push(rbx);
        assembler.push(rbp);
        assembler.push(r12);
        assembler.push(r13);
        assembler.push(r14);
        assembler.push(r15);
        assembler.push(rdi);
        assembler.push(__qword_ptr[rdi + Offset(registers, &registers->Rflags)]);
        assembler.popfq();
        assembler.mov(r15, __[rdi + Offset(registers, &registers->R15)]);
        assembler.mov(r14, __[rdi + Offset(registers, &registers->R14)]);
        assembler.mov(r13, __[rdi + Offset(registers, &registers->R13)]);
        assembler.mov(r12, __[rdi + Offset(registers, &registers->R12)]);
        assembler.mov(rbp, __[rdi + Offset(registers, &registers->Rbp)]);
        assembler.mov(rbx, __[rdi + Offset(registers, &registers->Rbx)]);
        assembler.mov(r11, __[rdi + Offset(registers, &registers->R11)]);
        assembler.mov(r10, __[rdi + Offset(registers, &registers->R10)]);
        assembler.mov(r9, __[rdi + Offset(registers, &registers->R9)]);
        assembler.mov(r8, __[rdi + Offset(registers, &registers->R8)]);
        assembler.mov(rax, __[rdi + Offset(registers, &registers->Rax)]);
        assembler.mov(rcx, __[rdi + Offset(registers, &registers->Rcx)]);
        assembler.mov(rdx, __[rdi + Offset(registers, &registers->Rdx)]);
        assembler.mov(rsi, __[rdi + Offset(registers, &registers->Rsi)]);
        assembler.mov(rdi, __[rdi + Offset(registers, &registers->Rdi)]);
        assembler.db(instruction.ToArray());
        assembler.xchg(__[rsp], rdi);
        assembler.mov(__[rdi + Offset(registers, &registers->R15)], r15);
        assembler.mov(__[rdi + Offset(registers, &registers->R14)], r14);
        assembler.mov(__[rdi + Offset(registers, &registers->R13)], r13);
        assembler.mov(__[rdi + Offset(registers, &registers->R12)], r12);
        assembler.mov(__[rdi + Offset(registers, &registers->Rbp)], rbp);
        assembler.mov(__[rdi + Offset(registers, &registers->Rbx)], rbx);
        assembler.mov(__[rdi + Offset(registers, &registers->R11)], r11);
        assembler.mov(__[rdi + Offset(registers, &registers->R10)], r10);
        assembler.mov(__[rdi + Offset(registers, &registers->R9)], r9);
        assembler.mov(__[rdi + Offset(registers, &registers->R8)], r8);
        assembler.mov(__[rdi + Offset(registers, &registers->Rax)], rax);
        assembler.mov(__[rdi + Offset(registers, &registers->Rcx)], rcx);
        assembler.mov(__[rdi + Offset(registers, &registers->Rdx)], rdx);
        assembler.mov(__[rdi + Offset(registers, &registers->Rsi)], rsi);
        assembler.pop(rax);
        assembler.mov(__[rdi + Offset(registers, &registers->Rdi)], rax);
        assembler.pushfq();
        assembler.pop(__qword_ptr[rdi + Offset(registers, &registers->Rflags)]);
        assembler.cld();
        assembler.pop(r15);
        assembler.pop(r14);
        assembler.pop(r13);
        assembler.pop(r12);
        assembler.pop(rbp);
        assembler.pop(rbx);
        assembler.ret();

        using MemoryStream stream = new();
        _ = assembler.Assemble(new StreamCodeWriter(stream), (ulong)_page.Start);
        stream.ToArray().CopyTo(new Span<byte>(_page.Start, GuardedPage.Size));
        ((delegate* unmanaged<CpuUserRegs*, void>)_page.Start)(registers);
    }

    public void Dispose() => _page.Dispose();

    private static int Offset(CpuUserRegs* registers, void* field) => (int)((byte*)field - (byte*)registers);
}
