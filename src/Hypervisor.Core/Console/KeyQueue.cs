// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>Debug keys that wait to be served.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct KeyQueue
{
    public const uint Size = 64;

    private fixed byte _keys[(int)Size];
    private uint _producer;
    private uint _consumer;

    public bool TryPut(byte key)
    {
        if (_producer - _consumer == Size)
        {
            return false;
        }

        _keys[_producer++ & (Size - 1)] = key;
        return true;
    }

    public bool TryTake(out byte key)
    {
        key = 0;
        if (_producer == _consumer)
        {
            return false;
        }

        key = _keys[_consumer++ & (Size - 1)];
        return true;
    }
}
