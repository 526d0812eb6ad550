// SPDX-License-Identifier: MIT
using System;
using System.Security.Cryptography;
using System.Text;
using Xt.Machine;
using Xunit;

namespace Xt.Tests;

public sealed class ConsoleAnswerTests
{
    private const string Token = "abc";

    [Fact]
    public void An_answer_is_found_among_other_lines()
    {
        string console = "booting\r\n" + Answer("hello\n", 5) + "more\r\n";

        (int Status, byte[] Output)? answer = ConsoleAnswer.Decode(console, Token);

        Assert.Equal(5, answer?.Status);
        Assert.Equal("hello\n", Encoding.UTF8.GetString(answer!.Value.Output));
    }

    [Theory]
    [InlineData("(XEN) d1 says something\r\n")]
    [InlineData("[   12.345678] usb 1-1: new device\r\n")]
    public void Foreign_lines_may_fall_into_any_place_of_an_answer(string foreign)
    {
        string whole = Answer("some output that takes two lines of base64 to send over the console line", 0);
        for (int i = 0; i < whole.Length; i++)
        {
            string console = whole[..i] + foreign + whole[i..];

            Assert.NotNull(ConsoleAnswer.Decode(console, Token));
        }
    }

    [Fact]
    public void A_damaged_answer_is_refused_and_the_next_pass_is_taken()
    {
        string good = Answer("hello\n", 0);
        string bad = good.Replace("@abc 1 a", "@abc 1 b", StringComparison.Ordinal);
        Assert.NotEqual(good, bad);

        Assert.Null(ConsoleAnswer.Decode(bad, Token, out bool isDamaged));
        Assert.True(isDamaged);
        Assert.NotNull(ConsoleAnswer.Decode(bad + good, Token));
    }

    [Fact]
    public void An_answer_that_lacks_a_line_is_damaged()
    {
        string whole = Answer(new string('x', 100), 0);
        string second = whole[whole.IndexOf("@abc 2", StringComparison.Ordinal)..];

        Assert.Null(ConsoleAnswer.Decode(second, Token, out bool isDamaged));
        Assert.True(isDamaged);
    }

    [Fact]
    public void An_answer_whose_last_line_is_still_coming_is_not_there_yet()
    {
        string whole = Answer("hello\n", 0);
        for (int i = 0; i < whole.Length - 1; i++)
        {
            Assert.Null(ConsoleAnswer.Decode(whole[..i], Token, out bool isDamaged));
            Assert.False(isDamaged);
        }
    }

    [Fact]
    public void Empty_output_is_an_answer()
    {
        Assert.Equal([], ConsoleAnswer.Decode(Answer(string.Empty, 0), Token)!.Value.Output);
    }

    private static string Answer(string output, int status)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(output);
        string encoded = Convert.ToBase64String(bytes);
        StringBuilder text = new();
        for (int start = 0, number = 1; start < encoded.Length; start += 72, number++)
        {
            _ = text.Append($"@{Token} {number} {encoded[start..Math.Min(start + 72, encoded.Length)]}\r\n");
        }

        return text + $"@{Token} end {status} {Convert.ToHexStringLower(MD5.HashData(bytes))}\r\n";
    }
}
