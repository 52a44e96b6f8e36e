using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// The merges of a byte-level vocabulary over symbols. A symbol is a token's id, or a number from the vocabulary's size on
/// for a text that merges name and the vocabulary lacks.
/// </summary>
internal sealed class BytePairTable
{
    private readonly TokenVocabulary vocabulary;
    private readonly Dictionary<string, int> strangers = new(StringComparer.Ordinal);
    private readonly List<string> strangerTexts = [];
    private readonly Dictionary<(int Left, int Right), (uint Rank, int Joined)> joins = [];
    private readonly int[] bytes = new int[256];

    private BytePairTable(TokenVocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        for (var value = 0; value < bytes.Length; value++)
            bytes[value] = SymbolOf(ByteAlphabet.Letter((byte)value).ToString());
    }

    /// <exception cref="GgufException">There are no merges, too many, or too long ones.</exception>
    public static BytePairTable Read(GgufReader reader, TokenVocabulary vocabulary)
    {
        var array = reader.Metadata.Array(TokenizerKeys.Merges) ?? throw TokenVocabulary.Missing(TokenizerKeys.Merges);
        if (array.Count > Limits.Merges)
            throw TokenVocabulary.Limit($"The vocabulary has {array.Count} merges, more than {Limits.Merges}.");
        var table = new BytePairTable(vocabulary);
        var merges = reader.ReadTexts(array);
        for (var rank = 0; rank < merges.Length; rank++)
            table.Add(merges[rank], (uint)rank);
        return table;
    }

    /// <summary>The symbol of one byte.</summary>
    public int Symbol(byte value) => bytes[value];

    public bool Joins(int left, int right, out uint rank, out int joined)
    {
        var found = joins.TryGetValue((left, right), out var join);
        (rank, joined) = join;
        return found;
    }

    /// <summary>Appends the token of a symbol, or of a stranger those tokens that its ASCII letters are.</summary>
    public void AppendTokens(int symbol, List<int> tokens)
    {
        if (vocabulary.Contains(symbol))
        {
            tokens.Add(symbol);
            return;
        }
        foreach (var letter in strangerTexts[symbol - vocabulary.Count])
        {
            var id = letter < 0x80 ? vocabulary.Find(letter.ToString()) : TokenVocabulary.None;
            if (id != TokenVocabulary.None)
                tokens.Add(id);
        }
    }

    /// <summary>A merge is two texts with a space between; the first may begin with one. The first of equal merges counts.</summary>
    private void Add(string merge, uint rank)
    {
        if (merge.Length > Limits.TokenChars)
            throw TokenVocabulary.Limit($"Merge {rank} is longer than {Limits.TokenChars} characters.");
        var space = merge.Length == 0 ? -1 : merge.IndexOf(' ', 1);
        if (space < 0 || space == merge.Length - 1)
            return;
        var left = merge[..space];
        var right = merge[(space + 1)..];
        _ = joins.TryAdd((SymbolOf(left), SymbolOf(right)), (rank, SymbolOf(left + right)));
    }

    private int SymbolOf(string text)
    {
        var id = vocabulary.Find(text);
        if (id != TokenVocabulary.None || strangers.TryGetValue(text, out id))
            return id;
        id = vocabulary.Count + strangerTexts.Count;
        strangers.Add(text, id);
        strangerTexts.Add(text);
        return id;
    }
}
