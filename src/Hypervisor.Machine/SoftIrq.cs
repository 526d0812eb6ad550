// SPDX-License-Identifier: MIT

namespace Hypervisor;

/// <summary>Work that waits until the hypervisor would return to a guest; bit numbers of <see cref="CpuInfo.SoftIrqPending"/>.</summary>
public static class SoftIrq
{
    public const uint Timer = 1 << 0;
    public const uint Schedule = 1 << 1;
    public const uint TlbFlush = 1 << 2;
    public const uint Console = 1 << 3;
    public const uint DomainDestruction = 1 << 4;
    public const uint Question = 1 << 5;
}
