// SPDX-License-Identifier: MIT
using System;

namespace Xm.Cli;

/// <summary>The command line cannot be meant: exit status 2 and a hint at the command's help.</summary>
internal sealed class UsageException(string message) : Exception(message);
