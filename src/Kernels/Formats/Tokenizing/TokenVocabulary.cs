using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>The tokens of a file: text, kind and score by id, and the id of a text.</summary>
internal sealed class TokenVocabulary
{
    /// <summary>The id of no token.</summary>
    public const int None = -1;

    private readonly string[] textsById;
    private readonly TokenKinds[] kindsById;
    private readonly float[] scores;
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> idsBySpan;

    private TokenVocabulary(string[] texts, TokenKinds[] kinds, float[] scores)
    {
        textsById = texts;
        kindsById = kinds;
        this.scores = scores;
        ids = new Dictionary<string, int>(texts.Length, StringComparer.Ordinal);
        for (var id = 0; id < texts.Length; id++)
        {
            if (!ids.TryAdd(texts[id], id))
                throw Invalid($"The tokens {ids[texts[id]]} and {id} have the same text.");
            LongestText = Math.Max(LongestText, texts[id].Length);
        }
        idsBySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public int Count => textsById.Length;

    /// <summary>UTF-16 characters of the longest text.</summary>
    public int LongestText { get; }

    /// <exception cref="GgufException">An array is missing, of another type or length, too large, or names a text twice.</exception>
    public static TokenVocabulary Read(GgufReader reader)
    {
        var tokens = reader.Metadata.Array(TokenizerKeys.Tokens) ?? throw Missing(TokenizerKeys.Tokens);
        if (tokens.Count is 0 or > Limits.Tokens)
            throw Limit($"The vocabulary has {tokens.Count} tokens; 1 to {Limits.Tokens} are accepted.");
        var texts = reader.ReadTexts(tokens);
        for (var id = 0; id < texts.Length; id++)
        {
            if (texts[id].Length == 0)
                texts[id] = $"[EMPTY_{id}]";
            if (texts[id].Length > Limits.TokenChars)
                throw Limit($"The text of token {id} is longer than {Limits.TokenChars} characters.");
        }
        return new TokenVocabulary(texts, ReadKinds(reader, texts.Length), ReadScores(reader, texts.Length));
    }

    public static GgufException Missing(string key) => Invalid($"{key} is missing.");

    public static GgufException Invalid(string problem) => new(GgufFault.Tokenizer, problem);

    public static GgufException Limit(string problem) => new(GgufFault.Limit, problem);

    public string Text(int id) => textsById[id];

    public float Score(int id) => scores[id];

    public TokenKinds Kinds(int id) => kindsById[id];

    public bool Is(int id, TokenKinds any) => (kindsById[id] & any) != TokenKinds.None;

    public void SetKinds(int id, TokenKinds value) => kindsById[id] = value;

    public bool Contains(int id) => (uint)id < (uint)textsById.Length;

    /// <summary>The id of a text, or <see cref="None"/>.</summary>
    public int Find(string text) => ids.TryGetValue(text, out var id) ? id : None;

    /// <summary>The id of a text, or <see cref="None"/>.</summary>
    public int Find(ReadOnlySpan<char> text) =>
        text.Length <= LongestText && idsBySpan.TryGetValue(text, out var id) ? id : None;

    private static TokenKinds[] ReadKinds(GgufReader reader, int count)
    {
        var kinds = new TokenKinds[count];
        var array = reader.Metadata.Array(TokenizerKeys.Kinds);
        if (array is null)
        {
            Array.Fill(kinds, TokenKinds.Normal);
            return kinds;
        }
        var numbers = reader.ReadNumbers(OfLength(array, count, TokenizerKeys.Kinds));
        for (var id = 0; id < count; id++)
        {
            kinds[id] = numbers[id] switch
            {
                1 => TokenKinds.Normal,
                2 => TokenKinds.Unknown,
                3 => TokenKinds.Control,
                4 => TokenKinds.UserDefined,
                5 => TokenKinds.Unused,
                6 => TokenKinds.Byte,
                _ => TokenKinds.None,
            };
        }
        return kinds;
    }

    private static float[] ReadScores(GgufReader reader, int count)
    {
        var array = reader.Metadata.Array(TokenizerKeys.Scores);
        if (array is null)
            return new float[count];
        _ = OfLength(array, count, TokenizerKeys.Scores);
        return array.ItemType == GgufValueType.I32
            ? Array.ConvertAll(reader.ReadNumbers(array), score => (float)score)
            : reader.ReadSingles(array);
    }

    private static GgufArray OfLength(GgufArray array, int count, string key) =>
        array.Count >= count ? array : throw Invalid($"{key} has {array.Count} items for {count} tokens.");
}
