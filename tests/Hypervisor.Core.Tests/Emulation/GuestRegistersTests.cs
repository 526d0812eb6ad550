// SPDX-License-Identifier: MIT
using Hypervisor.Core.Emulation;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class GuestRegistersTests
{
    [Fact]
    public void Numbers_name_the_registers_of_ModRM()
    {
        CpuUserRegs registers = default;
        ulong*[] expected =
        [
            &registers.Rax, &registers.Rcx, &registers.Rdx, &registers.Rbx,
            &registers.Rsp, &registers.Rbp, &registers.Rsi, &registers.Rdi,
            &registers.R8, &registers.R9, &registers.R10, &registers.R11,
            &registers.R12, &registers.R13, &registers.R14, &registers.R15,
        ];
        for (int number = 0; number < 16; number++)
        {
            Assert.True(expected[number] == GuestRegisters.Pointer(&registers, number), $"register {number}");
        }
    }

    [Theory]
    [InlineData(1, 0x1122334455667799ul)]
    [InlineData(2, 0x1122334455668899ul)]
    [InlineData(4, 0x0000000066778899ul)]
    [InlineData(8, 0x5555555566778899ul)]
    public void Writes_of_four_bytes_clear_the_rest_and_shorter_ones_keep_it(int size, ulong expected)
    {
        CpuUserRegs registers = default;
        registers.Rbx = 0x1122334455667788;
        GuestRegisters.Write(&registers, 3, size, 0x5555555566778899);
        Assert.Equal(expected, registers.Rbx);
        Assert.Equal(expected & (ulong.MaxValue >> (64 - 8 * size)), GuestRegisters.Read(&registers, 3, size));
    }
}
