using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>Reads the vocabulary of a model that <see cref="BpeVocabulary"/> describes.</summary>
public static class VocabularyFile
{
    /// <summary>The vocabulary of an opened file.</summary>
    /// <exception cref="GgufException">The file's vocabulary is of another kind or order.</exception>
    public static BpeVocabulary Read(GgufReader reader)
    {
        if (reader.Metadata.Text("tokenizer.ggml.pre") != "llama-bpe")
            throw Other("its pre-tokenizer is not llama-bpe");
        var tokens = reader.Metadata.Array("tokenizer.ggml.tokens") ?? throw Other("it has no tokens");
        var merges = reader.Metadata.Array("tokenizer.ggml.merges") ?? throw Other("it has no merges");
        var vocabulary = new BpeVocabulary([.. reader.ReadTexts(merges).Select(Split)]);
        if (!vocabulary.Tokens.SequenceEqual(reader.ReadTexts(tokens)))
            throw Other("its tokens are not the bytes, the merges and our special tokens in this order");
        return vocabulary;
    }

    private static (string Left, string Right) Split(string merge) =>
        merge.Split(' ') is [var left, var right] ? (left, right) : throw Other($"\"{merge}\" is no merge");

    private static GgufException Other(string reason) =>
        new(GgufFault.Model, $"The vocabulary is not one this engine reads: {reason}.");
}
