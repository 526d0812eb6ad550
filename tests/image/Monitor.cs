// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Net.Sockets;
using System.Text.Json;

namespace Image.Tests;

/// <summary>QEMU's monitor (QMP) of a machine that was started with <see cref="Arguments"/>.</summary>
internal sealed class Monitor : IDisposable
{
    private const int BetweenKeysMilliseconds = 150;

    private readonly string _folder = Directory.CreateTempSubdirectory("xt-monitor-").FullName;

    public string[] Arguments => ["-qmp", $"unix:{Address},server=on,wait=off"];

    private string Address => Path.Combine(_folder, "qmp");

    /// <summary>What the machine's screen shows, as a portable pixmap.</summary>
    public byte[] Picture()
    {
        string file = Path.Combine(_folder, "screen.ppm");
        _ = Do("screendump", "filename", file);
        return File.ReadAllBytes(file);
    }

    /// <summary>A processor takes a machine check that it cannot go on from (UC, EN, PCC, and MCIP).</summary>
    public void BreakProcessor() => Say("mce 0 1 0xb200000000000000 0x5 0 0");

    /// <summary>Every processor takes an NMI.</summary>
    public void InjectNmi() => _ = Do("inject-nmi");

    /// <summary>The button for an orderly end, which ACPI tells the system of.</summary>
    public void PressPower() => _ = Do("system_powerdown");

    /// <summary>Presses keys of the machine's keyboard: small letters, digits, and a few others. A line feed is Enter.</summary>
    public void Type(string text)
    {
        foreach (char letter in text)
        {
            string key = letter switch
            {
                '\n' => "ret",
                ' ' => "spc",
                '/' => "slash",
                _ => letter.ToString(),
            };
            Say($"sendkey {key} 40");
            System.Threading.Thread.Sleep(BetweenKeysMilliseconds);
        }
    }

    public void Dispose() => Directory.Delete(_folder, true);

    /// <summary>A command of the monitor for people.</summary>
    private void Say(string command) => _ = Do("human-monitor-command", "command-line", command);

    private JsonElement Do(string command, string? argument = null, string? value = null)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Address));
        using NetworkStream stream = new(socket);
        using StreamReader answers = new(stream);
        _ = answers.ReadLine();
        _ = Ask(stream, answers, """{"execute":"qmp_capabilities"}""");
        return Ask(stream, answers, argument == null
            ? $$"""{"execute":"{{command}}"}"""
            : $$$"""{"execute":"{{{command}}}","arguments":{"{{{argument}}}":"{{{value}}}"}}""");
    }

    private static JsonElement Ask(NetworkStream stream, StreamReader answers, string request)
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

            if (answer.RootElement.TryGetProperty("return", out JsonElement result))
            {
                return result.Clone();
            }
        }
    }
}
