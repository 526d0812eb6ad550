// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Text;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Supervisor;

/// <summary>A process that can be waited for, child or not.</summary>
internal sealed unsafe class ProcessHandle : IDisposable
{
    private readonly FileDescriptor _handle;

    private ProcessHandle(int number, FileDescriptor handle)
    {
        Number = number;
        _handle = handle;
    }

    /// <summary>The process number.</summary>
    public int Number { get; }

    /// <summary>To be polled: readable when the process has ended.</summary>
    public int Descriptor => _handle.Number;

    /// <summary>The process of a number; null when it is gone.</summary>
    public static ProcessHandle? TryOpen(int number)
    {
        int descriptor = (int)Libc.SystemCall(Libc.OpenProcessCall, number, 0);
        return descriptor >= 0 ? new ProcessHandle(number, FileDescriptor.Own(descriptor)) : null;
    }

    /// <summary>Starts a program with this process's environment.</summary>
    /// <exception cref="ToolstackException">The kernel refuses.</exception>
    public static ProcessHandle Start(string program, params string[] arguments)
    {
        List<string> environment = [];
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment.Add($"{variable.Key}={variable.Value}");
        }

        byte[] path = Encoding.UTF8.GetBytes(program + "\0");
        int number;
        int error;
        fixed (byte* pathPointer = path)
        {
            using TextArray words = new([program, .. arguments]);
            using TextArray variables = new(environment);
            error = Libc.Spawn(&number, pathPointer, null, null, words.Pointer, variables.Pointer);
        }

        return error == 0 && TryOpen(number) is { } handle
            ? handle
            : throw new ToolstackException($"cannot start {program}: {LibcErrno.Describe(error)}");
    }

    /// <summary>
    /// How the process ended, if it was a child of this one; only after <see cref="Descriptor"/> became readable.
    /// </summary>
    public string Collect()
    {
        int status;
        if (Libc.Wait(Number, &status, Libc.WaitNoHang) != Number)
        {
            return "ended";
        }

        int signal = status & 0x7f;
        return signal != 0 ? $"was killed by signal {signal}" : $"ended with status {(status >> 8) & 0xff}";
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal) => _ = Libc.Kill(Number, signal);

    /// <summary>Waits for the end; false when the time is up first.</summary>
    public bool WaitForEnd(int milliseconds) => _handle.WaitForInput(milliseconds);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
