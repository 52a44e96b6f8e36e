using System.Text;
using CsCheck;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>Random texts in which every class of code points and every rule of a pre-tokenizer is frequent.</summary>
internal static class Texts
{
    private static readonly string[] Tricky =
    [
        .. "aAbsSttTrReEvVlLmMdDzZ0123456789  \t\n\r''\"!.,;:-_/\\()[]{}<>=+*&^%$#@~`|".Select(letter =>
            letter.ToString()
        ),
        "é",
        "É",
        "ß",
        "ǅ",
        "ʰ",
        "Ω",
        "漢",
        "字",
        "か",
        "한",
        "ש",
        "ก",
        "²",
        "½",
        "٣",
        "Ⅷ",
        "\u0301",
        "\u093F",
        "\u20DD",
        "€",
        "©",
        "→",
        "、",
        "。",
        "！",
        "“",
        "«",
        "\u00A0",
        "\u0085",
        "\u2009",
        "\u2028",
        "\u3000",
        "\u200B",
        "\0",
        "\u0001",
        "\u001C",
        "\u007F",
        "\uE000",
        "\uFFFD",
        "\r\n",
        "  ",
        "\n\n",
        "'ll",
        "'RE",
        " the",
        "123",
        "▁",
        "<s>",
        "</s>",
        "<|im_start|>",
        "<|im_end|>",
        "Once upon a time",
    ];

    private static readonly string[] Astral = ["🦊", "👩‍🚀", "𐐀", "𐐨", "𝟘", "𠀀", "🇩🇪", "\U0010FFFF", "𞤀"];

    /// <summary>Only code points of one UTF-16 unit, as .NET's regular expressions need them to agree with anybody's.</summary>
    public static Gen<string> BasicPlane { get; } = Gen.OneOf(Tricky).Array[0, 24].Select(string.Concat);

    /// <summary>Any valid text.</summary>
    public static Gen<string> Valid { get; } =
        Gen.OneOf(
            Gen.OneOf((string[])[.. Tricky, .. Astral]).Array[0, 24].Select(string.Concat),
            Gen.Int[0, 0x10FFFF]
                .Where(value => value is < 0xD800 or > 0xDFFF)
                .Select(value => new Rune(value).ToString())
                .Array[0, 24]
                .Select(string.Concat)
        );

    /// <summary>Any string, halves of surrogate pairs too.</summary>
    public static Gen<string> Any { get; } =
        Gen.OneOf(
            Valid,
            Gen.Char.Array[0, 24].Select(letters => new string(letters)),
            Gen.Select(
                Valid,
                Gen.OneOf("\uD800", "\uDC00", "\uDFFF\uD83E"),
                Valid,
                (before, lone, after) => before + lone + after
            )
        );
}
