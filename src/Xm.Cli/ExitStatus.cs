// SPDX-License-Identifier: MIT
namespace Xm.Cli;

/// <summary>What <c>xm</c> leaves for the shell.</summary>
internal static class ExitStatus
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
}
