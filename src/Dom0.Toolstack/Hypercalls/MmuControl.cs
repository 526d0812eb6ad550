// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>Page tables of other domains: <c>mmuext_op</c> with a foreign domain.</summary>
public sealed class MmuControl
{
    private readonly HypercallGate _gate;

    internal MmuControl(HypercallGate gate) => _gate = gate;

    /// <summary>
    /// Makes the hypervisor check a top-level table and all below it, and hold them as page tables until the domain
    /// dies.
    /// </summary>
    public void PinTopLevel(DomId domain, ulong frame) => Pin(domain, frame, 4);

    /// <summary>As <see cref="PinTopLevel"/>, for a table of level 1 to 4.</summary>
    public void Pin(DomId domain, ulong frame, int level)
    {
        ref MmuExtOp operation = ref _gate.Prepare<MmuExtOp>();
        operation.Cmd = (uint)MmuExtCommand.PinL1Table + (uint)(level - 1);
        operation.Arg1Mfn = frame;
        int result = _gate.Channel.Call((ulong)HypercallNumber.MmuExtOp, _gate.Address, 1, 0, domain.Raw);
        _ = HypercallGate.Check(result, $"mmuext_op pin_l{level}_table", $"frame {frame:x} of domain {domain.Raw}");
    }
}
