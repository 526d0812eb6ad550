// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xunit;

namespace Xen.Abi.Tests;

public sealed class EnumStabilityTests
{
    // The values cross the border between guest and hypervisor and are stored in save files: they are for ever.
    // A new member is added to golden/enums.txt in the same commit; an old line never changes.
    [Fact]
    public void Values_of_enumerations_never_change()
    {
        string[] recorded = File.ReadAllLines(RepositoryFiles.Golden("enums.txt"));
        IEnumerable<string> actual =
            from type in AbiTypes.Enums
            from name in Enum.GetNames(type)
            let value = Convert.ToInt64(Enum.Parse(type, name))
            orderby type.Name, value
            select $"{type.Name}.{name} = {value}";
        string[] now = actual.OrderBy(line => line, StringComparer.Ordinal).ToArray();
        Assert.Empty(recorded.Except(now).Select(line => "changed or gone: " + line));
        Assert.Empty(now.Except(recorded).Select(line => "not recorded: " + line));
    }

    [Theory]
    [InlineData(HypercallNumber.SetTrapTable, 0)]
    [InlineData(HypercallNumber.MmuUpdate, 1)]
    [InlineData(HypercallNumber.MemoryOp, 12)]
    [InlineData(HypercallNumber.Multicall, 13)]
    [InlineData(HypercallNumber.UpdateVaMapping, 14)]
    [InlineData(HypercallNumber.Iret, 23)]
    [InlineData(HypercallNumber.MmuExtOp, 26)]
    [InlineData(HypercallNumber.SchedOp, 29)]
    [InlineData(HypercallNumber.EventChannelOp, 32)]
    [InlineData(HypercallNumber.SysCtl, 35)]
    [InlineData(HypercallNumber.DomCtl, 36)]
    public void Hypercalls_keep_their_numbers(HypercallNumber number, uint value)
    {
        Assert.Equal(value, (uint)number);
    }

    [Theory]
    [InlineData(Errno.Ok, 0)]
    [InlineData(Errno.Perm, 1)]
    [InlineData(Errno.Fault, 14)]
    [InlineData(Errno.Inval, 22)]
    [InlineData(Errno.NoSys, 38)]
    [InlineData(Errno.OpNotSupp, 95)]
    public void Errors_keep_their_numbers(Errno error, int value)
    {
        Assert.Equal(value, (int)error);
    }
}
