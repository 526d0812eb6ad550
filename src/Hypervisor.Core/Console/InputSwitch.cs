// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Console;

/// <summary>Where a typed byte goes.</summary>
public enum InputTarget
{
    /// <summary>It was part of a switch; nobody gets it.</summary>
    Nobody,
    Domain0,
    Hypervisor,
}

/// <summary>
/// Decides who gets the serial input. Ctrl-a typed three times in a row hands it to the other side; fewer go where all
/// else goes, the first two at once, so that a terminal program's own Ctrl-a stays usable.
/// </summary>
public struct InputSwitch
{
    public const byte SwitchKey = 0x01;
    public const int SwitchCount = 3;

    private int _inARow;
    private bool _toHypervisor;

    public readonly bool IsHypervisor => _toHypervisor;

    /// <summary>Before there is a Domain-0 the hypervisor listens itself.</summary>
    public void Direct(bool toHypervisor)
    {
        _toHypervisor = toHypervisor;
        _inARow = 0;
    }

    public InputTarget Route(byte value, out bool switched)
    {
        switched = false;
        _inARow = value == SwitchKey ? _inARow + 1 : 0;
        if (_inARow == SwitchCount)
        {
            Direct(!_toHypervisor);
            switched = true;
            return InputTarget.Nobody;
        }

        return _toHypervisor ? InputTarget.Hypervisor : InputTarget.Domain0;
    }
}
