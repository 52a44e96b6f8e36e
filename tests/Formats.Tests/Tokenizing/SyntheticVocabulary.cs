using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>Small vocabularies with the parts that a test is about, read back from a file.</summary>
internal static class SyntheticVocabulary
{
    public const int Normal = 1;
    public const int Unknown = 2;
    public const int Control = 3;
    public const int UserDefined = 4;
    public const int Byte = 6;

    /// <summary>All bytes, one token a merge, then special ones. A merge has a space between its two texts.</summary>
    public static GgufTokenizer BytePair(
        string preTokenizer,
        string[] merges,
        (string Text, int Kind)[]? special = null,
        Action<GgufWriter>? more = null
    )
    {
        var writer = new GgufWriter();
        DescribeBytePair(writer, preTokenizer, merges, special ?? []);
        more?.Invoke(writer);
        return Read(writer);
    }

    public static void DescribeBytePair(
        GgufWriter writer,
        string preTokenizer,
        string[] merges,
        (string Text, int Kind)[] special
    )
    {
        var bytes = Enumerable.Range(0, 256).Select(value => ByteAlphabet.Letter((byte)value).ToString());
        var merged = merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal));
        string[] plain = [.. bytes.Concat(merged).Distinct(StringComparer.Ordinal)];
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", preTokenizer);
        writer.Add("tokenizer.ggml.merges", merges);
        writer.Add("tokenizer.ggml.tokens", (string[])[.. plain, .. special.Select(token => token.Text)]);
        int[] kinds = [.. plain.Select(_ => Normal), .. special.Select(token => token.Kind)];
        writer.Add("tokenizer.ggml.token_type", kinds);
    }

    /// <summary>Unknown, BOS, EOS, all bytes, then pieces by score; spaces are written ▁.</summary>
    public static GgufTokenizer SentencePiece(
        (string Text, float Score)[] pieces,
        (string Text, int Kind)[]? special = null,
        Action<GgufWriter>? more = null
    )
    {
        var writer = new GgufWriter();
        DescribeSentencePiece(writer, pieces, special ?? []);
        more?.Invoke(writer);
        return Read(writer);
    }

    public static void DescribeSentencePiece(
        GgufWriter writer,
        (string Text, float Score)[] pieces,
        (string Text, int Kind)[] special
    )
    {
        (string Text, int Kind, float Score)[] tokens =
        [
            ("<unk>", Unknown, 0f),
            ("<s>", Control, 0f),
            ("</s>", Control, 0f),
            .. Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", Byte, 0f)),
            .. pieces.Select(piece => (piece.Text, Normal, piece.Score)),
            .. special.Select(token => (token.Text, token.Kind, 0f)),
        ];
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.tokens", tokens.Select(token => token.Text).ToArray());
        writer.Add("tokenizer.ggml.token_type", tokens.Select(token => token.Kind).ToArray());
        writer.Add("tokenizer.ggml.scores", tokens.Select(token => token.Score).ToArray());
    }

    public static GgufTokenizer Read(GgufWriter writer)
    {
        using var file = new MemoryStream();
        writer.WriteTo(file);
        return GgufTokenizer.From(GgufReader.Open(file));
    }

    /// <summary>The bytes of a token, each as its letter.</summary>
    public static string Letters(this GgufTokenizer tokenizer, int token) =>
        string.Concat(tokenizer.Piece(token, beginsText: false).Select(ByteAlphabet.Letter));

    /// <summary>The bytes of tokens as one text.</summary>
    public static string Decode(this GgufTokenizer tokenizer, int[] tokens) =>
        System.Text.Encoding.UTF8.GetString([
            .. tokens.SelectMany((token, index) => tokenizer.Piece(token, beginsText: index == 0)),
        ]);
}
