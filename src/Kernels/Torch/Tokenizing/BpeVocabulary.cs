using System.Collections.Concurrent;
using System.Text;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>
/// A byte-level BPE vocabulary: the 256 bytes first, then one token per merge in order, then the special tokens.
/// Encoding equals llama.cpp's for <c>llama-bpe</c>: a piece that is a token as a whole is that token.
/// </summary>
public sealed class BpeVocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<(string Left, string Right), int> ranks;
    private readonly ConcurrentDictionary<string, int[]> pieces = new(StringComparer.Ordinal);

    /// <param name="merges">Pairs in the order they were learnt, in letters of <see cref="ByteAlphabet"/>.</param>
    public BpeVocabulary(IReadOnlyList<(string Left, string Right)> merges)
    {
        Merges = merges;
        var bytes = Enumerable.Range(0, 256).Select(value => ByteAlphabet.Letter((byte)value).ToString());
        Tokens = [.. bytes, .. merges.Select(merge => merge.Left + merge.Right), .. SpecialTokens.All];
        ids = Tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);
        ranks = merges.Select((merge, rank) => (merge, rank)).ToDictionary(pair => pair.merge, pair => pair.rank);
    }

    /// <summary>The merges in order.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Token texts by id, in letters of <see cref="ByteAlphabet"/>, special tokens as they are.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Id of a special token.</summary>
    public int IdOf(string specialToken) => ids[specialToken];

    /// <summary>Token ids of plain text: special tokens in it are only letters.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        var result = new List<int>();
        foreach (var piece in PreTokenizer.Split(text))
            result.AddRange(EncodePiece(piece));
        return result;
    }

    /// <summary>The text of token ids, special tokens written out; bytes that are no UTF-8 become U+FFFD.</summary>
    public string Decode(IEnumerable<int> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            var text = Tokens[token];
            bytes.AddRange(SpecialTokens.All.Contains(text) ? Encoding.UTF8.GetBytes(text) : ByteAlphabet.Decode(text));
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private int[] EncodePiece(string piece)
    {
        if (pieces.TryGetValue(piece, out var known))
            return known;
        var letters = ByteAlphabet.Encode(piece);
        int[] result = ids.TryGetValue(letters, out var whole) ? [whole] : Merge(letters);
        if (pieces.Count < Limits.CachedPieces)
            pieces[piece] = result;
        return result;
    }

    private int[] Merge(string letters)
    {
        var parts = letters.Select(letter => letter.ToString()).ToList();
        while (true)
        {
            var best = -1;
            var bestRank = int.MaxValue;
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (ranks.TryGetValue((parts[i], parts[i + 1]), out var rank) && rank < bestRank)
                    (best, bestRank) = (i, rank);
            }
            if (best < 0)
                return [.. parts.Select(part => ids[part])];
            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
    }
}
