using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>A byte-level vocabulary without merges: one token per byte, and one that ends a text.</summary>
internal static class ByteVocabulary
{
    public const int EndOfText = 256;

    public const int Size = 257;

    private const int NormalToken = 1;
    private const int ControlToken = 3;

    public static void AddTo(GgufWriter writer)
    {
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", "qwen2");
        string[] names = [.. Enumerable.Range(0, EndOfText).Select(Name), "<|endoftext|>"];
        writer.Add("tokenizer.ggml.tokens", names);
        int[] kinds = [.. Enumerable.Repeat(NormalToken, EndOfText), ControlToken];
        writer.Add("tokenizer.ggml.token_type", kinds);
        writer.Add("tokenizer.ggml.merges", Array.Empty<string>());
        writer.Add("tokenizer.ggml.bos_token_id", (uint)EndOfText);
        writer.Add("tokenizer.ggml.eos_token_id", (uint)EndOfText);
        writer.Add("tokenizer.ggml.add_bos_token", value: false);
    }

    /// <summary>GPT-2's: printable Latin-1 characters stand for themselves, the other bytes for those from 256 on, in order.</summary>
    private static string Name(int value) =>
        (
            (char)(IsPrintable(value) ? value : 256 + Enumerable.Range(0, value).Count(other => !IsPrintable(other)))
        ).ToString();

    private static bool IsPrintable(int value) =>
        value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
}
