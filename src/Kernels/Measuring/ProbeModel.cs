using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Measuring;

/// <summary>
/// Writes a model of a given shape with meaningless weights: every engine loads it as any other, so that what is timed is
/// what serves. It never ends its text by itself.
/// </summary>
public static class ProbeModel
{
    /// <summary>Positions it was trained for, as it says of itself where nothing else is asked.</summary>
    public const int ContextTokens = 512;

    // Small enough that no sum over a row overflows 16 bits, far from denormal.
    private const float Magnitude = 0.01f;

    private const int PatternBytes = 1 << 20;

    /// <summary>Writes the whole file.</summary>
    /// <param name="contextTokens">Positions it says that it was trained for; what keys and values of them need is not checked.</param>
    public static void Write(Stream stream, ProbeShape shape, int contextTokens = ContextTokens)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var writer = new GgufWriter();
        Describe(writer, shape, contextTokens);
        DescribeVocabulary(writer);
        var type = WeightKinds.TypeOf(shape.Kind);
        var pattern = Pattern(shape.Kind, type);
        void Matrix(string name, long columns, long rows, int zeroRows = 0) =>
            writer.AddTensor(
                name,
                type,
                [columns, rows],
                output =>
                {
                    Repeat(output, pattern, columns * (rows - zeroRows), type);
                    output.Write(new byte[columns * zeroRows / type.BlockItems * type.BlockBytes]);
                }
            );
        void Norm(string name) =>
            writer.AddTensor(
                name,
                GgufTensorType.F32,
                [shape.Hidden],
                output => output.Write(MemoryMarshal.AsBytes(Enumerable.Repeat(1f, shape.Hidden).ToArray().AsSpan()))
            );
        Matrix("token_embd.weight", shape.Hidden, ProbeShape.Vocabulary);
        var keys = (long)shape.KvHeads * ProbeShape.HeadSize;
        for (var block = 0; block < shape.Blocks; block++)
        {
            Norm($"blk.{block}.attn_norm.weight");
            Matrix($"blk.{block}.attn_q.weight", shape.Hidden, shape.Hidden);
            Matrix($"blk.{block}.attn_k.weight", shape.Hidden, keys);
            Matrix($"blk.{block}.attn_v.weight", shape.Hidden, keys);
            Matrix($"blk.{block}.attn_output.weight", shape.Hidden, shape.Hidden);
            Norm($"blk.{block}.ffn_norm.weight");
            Matrix($"blk.{block}.ffn_gate.weight", shape.Hidden, shape.FeedForward);
            Matrix($"blk.{block}.ffn_up.weight", shape.Hidden, shape.FeedForward);
            Matrix($"blk.{block}.ffn_down.weight", shape.FeedForward, shape.Hidden);
        }
        Norm("output_norm.weight");
        // The last token ends a text; its score is 0, and of so many others one is always higher.
        Matrix("output.weight", shape.Hidden, ProbeShape.Vocabulary, zeroRows: 1);
        writer.WriteTo(stream);
    }

    private static void Describe(GgufWriter writer, ProbeShape shape, int contextTokens)
    {
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "probe");
        writer.Add("llama.vocab_size", ProbeShape.Vocabulary);
        writer.Add("llama.context_length", (uint)contextTokens);
        writer.Add("llama.embedding_length", (uint)shape.Hidden);
        writer.Add("llama.block_count", (uint)shape.Blocks);
        writer.Add("llama.feed_forward_length", (uint)shape.FeedForward);
        writer.Add("llama.attention.head_count", (uint)shape.Heads);
        writer.Add("llama.attention.head_count_kv", (uint)shape.KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Add("llama.rope.dimension_count", ProbeShape.HeadSize);
        writer.Add("llama.rope.freq_base", 10_000f);
    }

    /// <summary>Prompts come as ids; the words only have to be there.</summary>
    private static void DescribeVocabulary(GgufWriter writer)
    {
        const int Byte = 6;
        const int Normal = 1;
        const int Control = 3;
        const int Bytes = 256;
        var tokens = Enumerable
            .Range(0, ProbeShape.Vocabulary)
            .Select(id => id < Bytes ? $"<0x{id:X2}>" : $"t{id}")
            .ToArray();
        tokens[^1] = "</s>";
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.tokens", tokens);
        writer.Add("tokenizer.ggml.scores", Enumerable.Repeat(0f, tokens.Length).ToArray());
        writer.Add(
            "tokenizer.ggml.token_type",
            Enumerable
                .Range(0, tokens.Length)
                .Select(id => id < Bytes ? Byte : Normal)
                .Take(tokens.Length - 1)
                .Append(Control)
                .ToArray()
        );
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", ProbeShape.Vocabulary - 1);
        writer.Add("tokenizer.ggml.add_bos_token", value: false);
    }

    private static void Repeat(Stream output, byte[] pattern, long items, GgufTensorType type)
    {
        var left = items / type.BlockItems * type.BlockBytes;
        while (left > 0)
        {
            var count = (int)Math.Min(left, pattern.Length);
            output.Write(pattern, 0, count);
            left -= count;
        }
    }

    /// <summary>Whole blocks of one storage with numbers around zero; the same at every call.</summary>
    private static byte[] Pattern(WeightKind kind, GgufTensorType type)
    {
        var bytes = new byte[PatternBytes / type.BlockBytes * type.BlockBytes];
        new Random(Seed: 4780).NextBytes(bytes);
        for (var block = bytes.AsSpan(); block.Length > 0; block = block[type.BlockBytes..])
            Tame(kind, block[..type.BlockBytes]);
        return bytes;
    }

    /// <summary>Gives random bytes the scales that make them small numbers.</summary>
    private static void Tame(WeightKind kind, Span<byte> block)
    {
        switch (kind)
        {
            case WeightKind.F16:
                var value = ((sbyte)block[0]) / 128f * Magnitude;
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)value);
                break;
            case WeightKind.Q8:
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)(Magnitude / 128));
                break;
            case WeightKind.Q4:
                // Of every 32 weights: 6-bit scale times d, minus 6-bit minimum times dmin; the minimum about half the range.
                BinaryPrimitives.WriteHalfLittleEndian(block, (Half)(Magnitude / 256));
                BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)(Magnitude / 32));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind of weights without a storage.");
        }
    }
}
