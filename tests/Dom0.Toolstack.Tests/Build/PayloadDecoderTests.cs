// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using System.Text;
using Dom0.Toolstack.Build.Payload;
using Xen.Images;
using Xunit;

namespace Dom0.Toolstack.Tests.Build;

/// <summary>One text, packed by bzip2, xz --format=lzma and lz4 -l.</summary>
public sealed class PayloadDecoderTests
{
    private const string Bzip2 =
        "QlpoOTFBWSZTWdr7qT0AASr///Ol3n3F+69mphuGtL////9ddjHBb2P/MDV//n8/mcTZsAFZQQpUaBoANGgADQaBoNMmmh6g"
        + "0BkYmgBkABoAANBkGnpNNAAeT00o9qiANNNNNNMIZMhkGE0NGAIaGBNGRhBk00aADBGhiGJpk0xGEYE0aMJoAqVUmagAANAB"
        + "oaAA0AAAGjQAAAAAGg0aYmQAAAGgaMhf+3brzQ9mstrnUUlPvuxob3iba+21Zt8La5MR9dmkG/EbZIN+IqhFyEUSQbuEa/Q2"
        + "fHqcv+8raV25EfOvdI0DFAm5RiwbTs73RV0NyUxE9u7UjjQOQuQhCAFOAIQ+OQ2ccbtr1I6l4+glUIopSJBx7SrSCwpBHWSR"
        + "O4I5dGkFYI6laI6qQcv/VyQXARWJBQtKMR06Ajn2CQUwigIqUgrUgrhFGkFUI+NckFXZ90RbxFikFiIpUkSrokgshFhTCNlX"
        + "4/12VR+bXicanzlbS5mm/Xi1B3xOJQdZfc2xC4lytVvm6d2uePZsuTqnlan1LjX92pZpigUD82g4SvY2JH23In+qn2WJjUv7"
        + "U3o/qsJrC8n5ojl2MMQiH3iGqeTfTKQfxCf4u5IpwoSG191J6A==";

    private const string Lzma =
        "XQAAgAD//////////wAqGgiiAyVm8Ut4xaIF/y7m2dIgGq00+OId6EE2+twGabs85BA0Jwnrs2bj7TeY7ZKt1SdFCDBeXXEd"
        + "se7BL9FydXupWFXCCRH7nzGiOviSSVT7MNtM99Cpu1haow2h2+Ah/4cTsBMI5HcqKQFZuBIlIOtgsUws22sQpJWzngemu5Aw"
        + "33F98beb/G4WfDfRijAeJRfwwKLbQyKYBC3VYhk8ummdz+TevdnsVzT5cxU70B8icmvPC8D/lG9EVG9hryt2ytERUvoPjvI2"
        + "BpK8KXmV7EoqXhuma56dsyFfCqNKHpUFq3uiyrYaOCv2vYjCzkMZQLzjFO9zb01xfKrFL+KzDgxup3gnlrO1PYjjGnp18IPD"
        + "aeB5THAsNjGVY///u+yAAA==";

    private const string Lz4 =
        "AiFMGBgBAAD/HlRoZSBxdWljayBicm93biBmb3gganVtcHMgb3ZlciB0aGUgbGF6eSBkb2cuIC0A////////zv+6AAIGDBQe"
        + "KTZFVWd7kanC3foYOFp+pMv0H0t5qdsPRHu07ipoqOotcrkBS5flNYbZLoTcNpLwT7ATd91FrxuI92jaTsQ8tjGuLa0vsznB"
        + "StVi8IASpjzTbAejQeGDJ8xzHMZyINCCNeqhWRPPjU0O0ZZcJO66iFco+8+lfVczEO/QspZ8ZE45JhUF9+vh2dLNysjIys7U"
        + "2+Tv+wkZKz9Ua4Seutj4Gj1iibHbBzVllsn+NGym4iBfoOMnbbX/S5jnOIreNIzmQZ5hAQD//6oPsQMADxMA//8RUG4gZm94";

    private const int Limit = 1 << 20;

    public static TheoryData<PayloadFormat> Formats => [PayloadFormat.Bzip2, PayloadFormat.Lzma, PayloadFormat.Lz4];

    private static byte[] Packed(PayloadFormat format) => Convert.FromBase64String(format switch
    {
        PayloadFormat.Bzip2 => Bzip2,
        PayloadFormat.Lzma => Lzma,
        _ => Lz4,
    });

    private static byte[] Text() =>
    [
        .. Encoding.ASCII.GetBytes(string.Concat(
            Enumerable.Repeat("The quick brown fox jumps over the lazy dog. ", 40))),
        .. Enumerable.Range(0, 200).Select(i => (byte)(((i * i * 7) + (i * 13)) >> 3)),
        .. Encoding.ASCII.GetBytes(new string('a', 700)),
        .. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("The quick brown fox", 30))),
    ];

    [Theory]
    [MemberData(nameof(Formats))]
    public void What_other_programs_pack_is_unpacked(PayloadFormat format) =>
        Assert.Equal(Text(), PayloadDecoder.Decode(format, Packed(format), Limit));

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_limit_holds(PayloadFormat format)
    {
        Assert.Equal(Text(), PayloadDecoder.Decode(format, Packed(format), Text().Length));
        Assert.Contains("more than", Assert.Throws<InvalidDataException>(
            () => PayloadDecoder.Decode(format, Packed(format), Text().Length - 1)).Message);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_file_that_is_cut_short_is_refused_or_gives_its_beginning(PayloadFormat format)
    {
        byte[] packed = Packed(format);
        for (int length = 0; length < packed.Length; length++)
        {
            byte[]? unpacked = Try(format, packed[..length]);
            Assert.True(unpacked is null || format == PayloadFormat.Lz4 || unpacked.Length == 0, $"{length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void No_changed_byte_does_more_than_change_the_result(PayloadFormat format)
    {
        byte[] packed = Packed(format);
        for (int index = 0; index < packed.Length; index++)
        {
            foreach (int change in new[] { 1, 0x80, 0xff })
            {
                byte[] changed = [.. packed];
                changed[index] ^= (byte)change;
                byte[]? unpacked = Try(format, changed);

                // bzip2 has checksums: nothing wrong passes.
                Assert.True(format != PayloadFormat.Bzip2 || unpacked is null || unpacked.SequenceEqual(Text()),
                    $"byte {index}");
            }
        }
    }

    private static byte[]? Try(PayloadFormat format, byte[] packed)
    {
        try
        {
            return PayloadDecoder.Decode(format, packed, Limit);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
