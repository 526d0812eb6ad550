// SPDX-License-Identifier: MIT
//
// The console's shared page belongs to a guest that may write anything into it at any time. What this side owns (how far
// it has read, how far it has written) is therefore kept here and only copied there; what the guest owns is read once
// for each use, and a distance that no sound guest can produce is not believed.
using System;
using System.Threading;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Console;

/// <summary>The tools' side of a guest's console ring (<c>struct xencons_interface</c>).</summary>
public sealed unsafe class ConsoleRing : IDisposable
{
    private const uint InSize = 1024;
    private const uint OutSize = 2048;

    private readonly NativeRegion _page;
    private uint _outConsumed;
    private uint _inProduced;

    /// <summary>
    /// Takes over the page, and goes on where an earlier owner of this side stopped: the page itself remembers that.
    /// </summary>
    public ConsoleRing(NativeRegion page)
    {
        _page = page;
        ref ConsoleInterface shared = ref page.Value<ConsoleInterface>();
        _outConsumed = Volatile.Read(ref shared.OutCons);
        _inProduced = Volatile.Read(ref shared.InProd);
    }

    /// <summary>How often the guest's indices made no sense.</summary>
    public int Faults { get; private set; }

    /// <summary>
    /// Copies what the guest has written, up to the buffer's size, and leaves it in the ring: it is taken out by
    /// <see cref="Consume"/>, when it is safe elsewhere.
    /// </summary>
    public int Peek(Span<byte> buffer)
    {
        ref ConsoleInterface shared = ref _page.Value<ConsoleInterface>();
        uint produced = Volatile.Read(ref shared.OutProd);
        uint waiting = produced - _outConsumed;
        if (waiting > OutSize)
        {
            // Nothing in the ring can be trusted: go on behind it.
            Faults++;
            _outConsumed = produced;
            Volatile.Write(ref shared.OutCons, _outConsumed);
            return 0;
        }

        int count = (int)Math.Min(waiting, (uint)buffer.Length);
        for (int index = 0; index < count; index++)
        {
            buffer[index] = shared.Out[(_outConsumed + (uint)index) & (OutSize - 1)];
        }

        return count;
    }

    /// <summary>Takes bytes out of the ring; the guest may reuse their room.</summary>
    public void Consume(int count)
    {
        _outConsumed += (uint)count;
        Volatile.Write(ref _page.Value<ConsoleInterface>().OutCons, _outConsumed);
    }

    /// <summary>Puts input for the guest into the ring; returns how much found room.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        ref ConsoleInterface shared = ref _page.Value<ConsoleInterface>();
        uint used = _inProduced - Volatile.Read(ref shared.InCons);
        if (used > InSize)
        {
            Faults++;
            return 0;
        }

        int count = (int)Math.Min(InSize - used, (uint)data.Length);
        for (int index = 0; index < count; index++)
        {
            shared.In[(_inProduced + (uint)index) & (InSize - 1)] = data[index];
        }

        _inProduced += (uint)count;
        Volatile.Write(ref shared.InProd, _inProduced);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _page.Dispose();
}
