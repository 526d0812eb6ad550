// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Net.Sockets;
using System.Text.Json;

namespace Image.Tests;

/// <summary>QEMU's monitor (QMP) of a machine that was started with <see cref="Arguments"/>.</summary>
internal sealed class Monitor : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("xt-monitor-").FullName;

    public string[] Arguments => ["-qmp", $"unix:{Address},server=on,wait=off"];

    private string Address => Path.Combine(_folder, "qmp");

    /// <summary>What the machine's screen shows, as a portable pixmap.</summary>
    public byte[] Picture()
    {
        string file = Path.Combine(_folder, "screen.ppm");
        Do($$$"""{"execute":"screendump","arguments":{"filename":"{{{file}}}"}}""");
        return File.ReadAllBytes(file);
    }

    /// <summary>A processor takes a machine check that it cannot go on from (UC, EN, PCC, and MCIP).</summary>
    public void BreakProcessor() => Do(
        """{"execute":"human-monitor-command","arguments":{"command-line":"mce 0 1 0xb200000000000000 0x5 0 0"}}""");

    public void Dispose() => Directory.Delete(_folder, true);

    private void Do(string request)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Address));
        using NetworkStream stream = new(socket);
        using StreamReader answers = new(stream);
        _ = answers.ReadLine();
        Ask(stream, answers, """{"execute":"qmp_capabilities"}""");
        Ask(stream, answers, request);
    }

    private static void Ask(NetworkStream stream, StreamReader answers, string request)
    {
        stream.Write(System.Text.Encoding.ASCII.GetBytes(request + "\n"));
        while (true)
        {
            string line = answers.ReadLine() ?? throw new IOException("QEMU's monitor is gone.");
            using JsonDocument answer = JsonDocument.Parse(line);
            if (answer.RootElement.TryGetProperty("error", out JsonElement error))
            {
                throw new IOException($"QEMU's monitor: {error}");
            }

            if (answer.RootElement.TryGetProperty("return", out _))
            {
                return;
            }
        }
    }
}
