// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>Reads <c>baud[/base-baud][,format[r][,port[,irq]]]</c>.</summary>
internal static unsafe class SerialLine
{
    private const uint MaxBaud = 115200 * 32;

    internal static bool TryParse(BootText value, SerialOptions* options)
    {
        SerialOptions parsed = new() { IsSet = true, Baud = 115200, DataBits = 8, Parity = (byte)'n', StopBits = 1 };
        int position = 0;
        for (int part = 0; CommandLine.NextItem(value, ref position, out BootText item); part++)
        {
            bool isSound = item.Length == 0 || part switch
            {
                0 => TryParseBaud(item, &parsed),
                1 => TryParseFormat(item, &parsed),
                2 => TryParsePort(item, &parsed),
                3 => TryParseIrq(item, &parsed),
                _ => false,
            };
            if (!isSound)
            {
                return false;
            }
        }

        *options = parsed;
        return value.Length > 0;
    }

    private static bool TryParseBaud(BootText text, SerialOptions* options)
    {
        if (text.Equals("auto"u8))
        {
            options->Baud = 0;
            return true;
        }

        int slash = TextNumber.IndexOf(text, (byte)'/');
        if (slash >= 0)
        {
            uint baseBaud = 0;
            BootText stated = new(text.Pointer + slash + 1, text.Length - slash - 1);
            if (!TextNumber.TryParse(stated, &baseBaud) || baseBaud == 0 || baseBaud > MaxBaud)
            {
                return false;
            }

            options->BaseBaud = baseBaud;
            text = new BootText(text.Pointer, slash);
        }

        uint baud = 0;
        if (!TextNumber.TryParse(text, &baud) || baud == 0 || baud > MaxBaud)
        {
            return false;
        }

        options->Baud = baud;
        return true;
    }

    private static bool TryParseFormat(BootText text, SerialOptions* options)
    {
        if (text.Length == 4 && text.Pointer[3] == 'r')
        {
            options->HeedsClearToSend = true;
            text.Length = 3;
        }

        if (text.Length != 3 || text.Pointer[0] is < (byte)'5' or > (byte)'8'
            || text.Pointer[2] is not ((byte)'1' or (byte)'2')
            || text.Pointer[1] is not ((byte)'n' or (byte)'o' or (byte)'e' or (byte)'m' or (byte)'s'))
        {
            return false;
        }

        options->DataBits = (byte)(text.Pointer[0] - '0');
        options->Parity = text.Pointer[1];
        options->StopBits = (byte)(text.Pointer[2] - '0');
        return true;
    }

    private static bool TryParsePort(BootText text, SerialOptions* options)
    {
        uint port = 0;
        if (!TextNumber.TryParse(text, &port) || port == 0 || port > 0xFFF8)
        {
            return false;
        }

        options->Port = (ushort)port;
        return true;
    }

    private static bool TryParseIrq(BootText text, SerialOptions* options)
    {
        uint irq = 0;
        if (!TextNumber.TryParse(text, &irq) || irq > 255)
        {
            return false;
        }

        options->Irq = (byte)irq;
        return true;
    }
}
