// SPDX-License-Identifier: MIT

using Hypervisor.Core.Console;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class InputTests
{
    [Fact]
    public void Three_control_a_in_a_row_switch_there_and_back()
    {
        InputSwitch input = default;

        Assert.Equal(InputTarget.Domain0, input.Route((byte)'x', out _));
        Assert.Equal(InputTarget.Domain0, input.Route(1, out _));
        Assert.Equal(InputTarget.Domain0, input.Route(1, out _));
        Assert.Equal(InputTarget.Domain0, input.Route((byte)'y', out _));
        Assert.Equal(InputTarget.Domain0, input.Route(1, out _));
        Assert.Equal(InputTarget.Domain0, input.Route(1, out bool early));
        Assert.False(early);
        Assert.Equal(InputTarget.Nobody, input.Route(1, out bool switched));
        Assert.True(switched && input.IsHypervisor);
        Assert.Equal(InputTarget.Hypervisor, input.Route((byte)'h', out _));
        _ = input.Route(1, out _);
        _ = input.Route(1, out _);
        _ = input.Route(1, out _);
        Assert.Equal(InputTarget.Domain0, input.Route((byte)'h', out _));
    }

    [Fact]
    public void A_full_input_ring_loses_what_comes_last()
    {
        InputRing ring = default;
        for (int i = 0; i < InputRing.Size; i++)
        {
            Assert.True(ring.TryPut((byte)i));
        }

        Assert.False(ring.TryPut(9));
        byte* two = stackalloc byte[2];
        Assert.Equal(2u, ring.Peek(two, 2));
        Assert.Equal(1, two[1]);
        ring.Take(2);
        Assert.True(ring.TryPut(9));
        Assert.Equal(InputRing.Size - 1, ring.Count);
    }
}
