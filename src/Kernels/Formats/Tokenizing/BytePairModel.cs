using System.Buffers;
using System.Text;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>Byte-level BPE: text is cut into pieces, and inside each the bytes merge by rank.</summary>
internal sealed class BytePairModel(TokenVocabulary vocabulary, BytePairTable table, PreTokenizer preTokenizer)
    : ITokenModel
{
    public void Encode(ReadOnlySpan<char> text, bool afterSpecial, List<int> tokens)
    {
        var points = CodePoints.Of(text);
        var merger = new Merger(table);
        var start = 0;
        var charStart = 0;
        foreach (var end in preTokenizer.Cut(points))
        {
            var charEnd = charStart + points.CharsBetween(start, end);
            EncodePiece(text[charStart..charEnd], merger, tokens);
            (start, charStart) = (end, charEnd);
        }
    }

    public byte[] Bytes(string tokenText) => ByteAlphabet.Decode(tokenText);

    private void EncodePiece(ReadOnlySpan<char> piece, Merger merger, List<int> tokens)
    {
        var size = Encoding.UTF8.GetMaxByteCount(piece.Length);
        var rented = ArrayPool<byte>.Shared.Rent(size);
        var bytes = rented.AsSpan(0, Encoding.UTF8.GetBytes(piece, rented));
        var whole = preTokenizer.WholePieces ? FindWhole(bytes) : TokenVocabulary.None;
        if (whole != TokenVocabulary.None)
            tokens.Add(whole);
        else
            merger.Encode(bytes, tokens);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private int FindWhole(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Math.Min(vocabulary.LongestText, Limits.TokenChars))
            return TokenVocabulary.None;
        Span<char> letters = stackalloc char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            letters[i] = ByteAlphabet.Letter(bytes[i]);
        return vocabulary.Find(letters);
    }

    private sealed class Merger(BytePairTable table) : PairMerger
    {
        public void Encode(ReadOnlySpan<byte> bytes, List<int> tokens)
        {
            Begin(bytes.Length);
            for (var i = 0; i < bytes.Length; i++)
                SetSymbol(i, table.Symbol(bytes[i]));
            Merge();
            for (var at = bytes.Length == 0 ? -1 : 0; at >= 0; at = Following(at))
                table.AppendTokens(Symbol(at), tokens);
        }

        protected override bool Joins(int left, int right, out uint order, out int joined) =>
            table.Joins(Symbol(left), Symbol(right), out order, out joined);
    }
}
