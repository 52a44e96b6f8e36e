using System.Globalization;
using System.Text;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// SentencePiece as llama.cpp has it: spaces are written ▁, the characters of a whole text merge by the score of what they
/// would become, and a character without a token is written as its bytes.
/// </summary>
internal sealed class SentencePieceModel : ITokenModel
{
    private const char EscapedSpace = '▁';

    private readonly TokenVocabulary vocabulary;
    private readonly bool spacePrefix;
    private readonly int[] bytes = new int[256];

    /// <param name="vocabulary">Its tokens.</param>
    /// <param name="spacePrefix">Whether text after nothing or a special token gets a space before it.</param>
    /// <param name="unknown">What stands for a byte that has no token; may be none.</param>
    public SentencePieceModel(TokenVocabulary vocabulary, bool spacePrefix, int unknown)
    {
        this.vocabulary = vocabulary;
        this.spacePrefix = spacePrefix;
        for (var value = 0; value < bytes.Length; value++)
        {
            bytes[value] = vocabulary.Find($"<0x{value:X2}>");
            if (bytes[value] == TokenVocabulary.None && value < 0x80)
                bytes[value] = vocabulary.Find(((char)value).ToString());
            if (bytes[value] == TokenVocabulary.None)
                bytes[value] = unknown;
        }
    }

    /// <summary>The byte that a token of kind <see cref="TokenKinds.Byte"/> stands for; 0 where its text names none.</summary>
    public static byte ByteOf(string tokenText) =>
        tokenText.Length == 6
        && byte.TryParse(tokenText.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, null, out var value)
            ? value
            : (byte)0;

    public void Encode(ReadOnlySpan<char> text, bool afterSpecial, List<int> tokens)
    {
        var prefix = spacePrefix && afterSpecial;
        var escaped = new char[text.Length + (prefix ? 1 : 0)];
        if (prefix)
            escaped[0] = EscapedSpace;
        text.Replace(escaped.AsSpan(prefix ? 1 : 0), ' ', EscapedSpace);
        new Merger(vocabulary, escaped).Encode(bytes, tokens);
    }

    public byte[] Bytes(string tokenText) => Encoding.UTF8.GetBytes(tokenText.Replace(EscapedSpace, ' '));

    private sealed class Merger : PairMerger
    {
        /// <summary>A character without a token of its own; it may still be a part of one.</summary>
        private const int NoToken = -2;

        private readonly TokenVocabulary vocabulary;
        private readonly char[] text;
        private readonly int[] starts;

        public Merger(TokenVocabulary vocabulary, char[] text)
        {
            this.vocabulary = vocabulary;
            this.text = text;
            starts = new int[text.Length];
            var count = 0;
            for (var i = 0; i < text.Length; i += char.IsHighSurrogate(text[i]) ? 2 : 1)
                starts[count++] = i;
            Begin(count);
            for (var at = 0; at < count; at++)
                SetSymbol(
                    at,
                    vocabulary.Find(Text(at, EndOf(at))) is var id and not TokenVocabulary.None ? id : NoToken
                );
        }

        public void Encode(int[] byteTokens, List<int> tokens)
        {
            Merge();
            Span<byte> utf8 = stackalloc byte[4];
            for (var at = Count == 0 ? -1 : 0; at >= 0; at = Following(at))
            {
                if (Symbol(at) != NoToken)
                {
                    tokens.Add(Symbol(at));
                    continue;
                }
                var length = Encoding.UTF8.GetBytes(Text(at, EndOf(at)), utf8);
                foreach (var value in utf8[..length])
                {
                    if (byteTokens[value] != TokenVocabulary.None)
                        tokens.Add(byteTokens[value]);
                }
            }
        }

        protected override bool Joins(int left, int right, out uint order, out int joined)
        {
            joined = vocabulary.Find(Text(left, EndOf(right)));
            order = joined == TokenVocabulary.None ? 0 : Descending(vocabulary.Score(joined));
            return joined != TokenVocabulary.None;
        }

        private int EndOf(int at) => Following(at) < 0 ? text.Length : starts[Following(at)];

        private ReadOnlySpan<char> Text(int at, int end) => text.AsSpan(starts[at]..end);

        /// <summary>A number that is smaller the higher the score, in the order of floats.</summary>
        private static uint Descending(float score)
        {
            // Adding zero makes −0 the same as +0.
            var bits = BitConverter.SingleToUInt32Bits(score + 0f);
            return bits >> 31 == 0 ? 0x7FFF_FFFF - bits : bits;
        }
    }
}
