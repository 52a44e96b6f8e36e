using System.Globalization;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>The classes of code points that pre-tokenizers tell apart; every code point has exactly one.</summary>
[Flags]
internal enum CharacterKinds : byte
{
    /// <summary>Of no code point: before the start or after the end of the text.</summary>
    None = 0,
    Letter = 1,
    Number = 2,
    Mark = 4,
    Punctuation = 8,
    Symbol = 16,

    /// <summary>What <c>\s</c> is in a regular expression.</summary>
    Space = 32,

    /// <summary>Controls, private use and what is not assigned.</summary>
    Other = 64,
}

/// <summary>Looks up <see cref="CharacterKinds"/>.</summary>
internal static class CharacterKind
{
    /// <summary>
    /// What Unicode 16 added. llama.cpp knows Unicode 15.1; whatever the runtime knows, the same text must have the same ids.
    /// </summary>
    private static readonly CodePointRanges AddedLater = new(
        "897-897 1B4E-1B4F 1B7F-1B7F 1C89-1C8A 2427-2429 31E4-31E5 A7CB-A7CD A7DA-A7DC 105C0-105F3 "
            + "10D40-10D65 10D69-10D85 10D8E-10D8F 10EC2-10EC4 10EFC-10EFC 11380-11389 1138B-1138B 1138E-1138E "
            + "11390-113B5 113B7-113C0 113C2-113C2 113C5-113C5 113C7-113CA 113CC-113D5 113D7-113D8 113E1-113E2 "
            + "116D0-116E3 11BC0-11BE1 11BF0-11BF9 11F5A-11F5A 13460-143FA 16100-16139 16D40-16D79 18CFF-18CFF "
            + "1CC00-1CCF9 1CD00-1CEB3 1E5D0-1E5FA 1E5FF-1E5FF 1F8B2-1F8BB 1F8C0-1F8C1 1FA89-1FA89 1FA8F-1FA8F "
            + "1FABE-1FABE 1FAC6-1FAC6 1FADC-1FADC 1FADF-1FADF 1FAE9-1FAE9 1FBCB-1FBEF"
    );

    private static readonly CharacterKinds[] Ascii =
    [
        .. Enumerable.Range(0, 128).Select(value => OfCategory(value, CharUnicodeInfo.GetUnicodeCategory(value))),
    ];

    public static CharacterKinds Of(int codePoint) =>
        codePoint < Ascii.Length ? Ascii[codePoint] : BeyondAscii(codePoint);

    private static CharacterKinds BeyondAscii(int codePoint) =>
        AddedLater.Contains(codePoint)
            ? CharacterKinds.Other
            : OfCategory(codePoint, CharUnicodeInfo.GetUnicodeCategory(codePoint));

    private static CharacterKinds OfCategory(int codePoint, UnicodeCategory category) =>
        category switch
        {
            <= UnicodeCategory.OtherLetter => CharacterKinds.Letter,
            <= UnicodeCategory.EnclosingMark => CharacterKinds.Mark,
            <= UnicodeCategory.OtherNumber => CharacterKinds.Number,
            <= UnicodeCategory.ParagraphSeparator => CharacterKinds.Space,
            UnicodeCategory.Control when codePoint is (>= '\t' and <= '\r') or 0x85 => CharacterKinds.Space,
            <= UnicodeCategory.PrivateUse => CharacterKinds.Other,
            <= UnicodeCategory.OtherPunctuation => CharacterKinds.Punctuation,
            <= UnicodeCategory.OtherSymbol => CharacterKinds.Symbol,
            _ => CharacterKinds.Other,
        };
}
