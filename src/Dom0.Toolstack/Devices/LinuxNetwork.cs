// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Devices;

/// <summary>Interfaces and bridges of Domain-0, by the ioctls of sockets.</summary>
internal static unsafe class LinuxNetwork
{
    private const uint GetFlags = 0x8913;
    private const uint SetFlags = 0x8914;
    private const uint SetName = 0x8923;
    private const uint GetIndex = 0x8933;
    private const uint AddBridge = 0x89a0;
    private const uint AddToBridge = 0x89a2;
    private const short IsUp = 1;

    // struct ifreq: a name of 16 bytes, then a union of 24.
    private const int RequestSize = 40;
    private const int NameSize = 16;

    public static bool Exists(string name) => Directory.Exists($"/sys/class/net/{name}");

    public static void Rename(string name, string newName)
    {
        using FileDescriptor socket = OpenSocket();
        byte* request = stackalloc byte[RequestSize];
        Fill(request, name);
        PutName(request + NameSize, newName);
        Require(socket.Control(SetName, request), $"renaming the interface {name} to {newName}",
            "Choose another vifname");
    }

    public static void EnsureBridge(string bridge)
    {
        using FileDescriptor socket = OpenSocket();
        if (!Exists(bridge))
        {
            byte* name = stackalloc byte[NameSize];
            PutName(name, bridge);
            int result = socket.Control(AddBridge, name);
            if (result != -LibcErrno.Exists)
            {
                Require(result, $"making the bridge {bridge}", "Load the driver of bridges: modprobe bridge");
            }
        }

        if (!Directory.Exists($"/sys/class/net/{bridge}/bridge"))
        {
            throw new ToolstackException($"the interface {bridge} is no bridge", "Name another one by bridge=NAME");
        }

        LetWork(socket, bridge);
    }

    public static void Join(string bridge, string name)
    {
        using FileDescriptor socket = OpenSocket();
        byte* request = stackalloc byte[RequestSize];
        Fill(request, name);
        Require(socket.Control(GetIndex, request), $"looking for the interface {name}", null);
        int index = *(int*)(request + NameSize);
        Fill(request, bridge);
        *(int*)(request + NameSize) = index;
        Require(socket.Control(AddToBridge, request), $"adding {name} to the bridge {bridge}", null);
        LetWork(socket, name);
    }

    private static void LetWork(FileDescriptor socket, string name)
    {
        byte* request = stackalloc byte[RequestSize];
        Fill(request, name);
        Require(socket.Control(GetFlags, request), $"reading the flags of {name}", null);
        *(short*)(request + NameSize) |= IsUp;
        Require(socket.Control(SetFlags, request), $"setting {name} up", null);
    }

    private static FileDescriptor OpenSocket()
    {
        int number = Libc.Socket(Libc.InternetSockets, Libc.DatagramSocket | Libc.SocketCloseOnExec, 0);
        return number >= 0
            ? FileDescriptor.Own(number)
            : throw new ToolstackException("Domain-0's kernel offers no network sockets");
    }

    private static void Fill(byte* request, string name)
    {
        new Span<byte>(request, RequestSize).Clear();
        PutName(request, name);
    }

    private static void PutName(byte* place, string name)
    {
        Span<byte> bytes = new(place, NameSize);
        bytes.Clear();
        _ = Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(name.Length, NameSize - 1)), bytes);
    }

    private static void Require(int result, string what, string? remedy)
    {
        if (result < 0)
        {
            throw new ToolstackException($"{what} failed: {LibcErrno.Describe(-result)}", remedy);
        }
    }
}
