using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Quantised;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>
/// A Hugging Face folder. Its llama models turn a row of a head with the one half a head on; here, as in GGUF, neighbours turn
/// together, so that rows of queries and keys change places.
/// </summary>
internal sealed class HuggingFaceWeights : IWeightSource
{
    private readonly SafetensorsFolder folder;

    private HuggingFaceWeights(SafetensorsFolder folder, LlamaConfig config)
    {
        this.folder = folder;
        Config = config;
    }

    public LlamaConfig Config { get; }

    public static HuggingFaceWeights Open(string path)
    {
        var opened = SafetensorsFolder.Open(path);
        try
        {
            var names = opened.Tensors.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
            var weights = new HuggingFaceWeights(opened, HuggingFaceConfig.Read(path, names));
            weights.RequireComplete(names);
            return weights;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public void Read(string name, long firstRow, Span<float> values)
    {
        var tensor = folder.Find(NameOf(name))!;
        // A vector is one row here, unless its items are rows of heads.
        var isTurned = IsTurned(name);
        var columns =
            tensor.Shape.Count == 1 && !isTurned ? tensor.Shape[0]
            : tensor.Shape.Count == 1 ? 1
            : tensor.Shape[1];
        if (!isTurned)
        {
            ReadRows(tensor, firstRow, columns, values);
            return;
        }
        var rows = values.Length / (int)columns;
        for (var row = 0; row < rows; row++)
            ReadRows(tensor, SourceRow(firstRow + row), columns, values.Slice(row * (int)columns, (int)columns));
    }

    public void Dispose() => folder.Dispose();

    /// <summary>Where the file has the row that GGUF has here.</summary>
    internal long SourceRow(long row)
    {
        var (head, within) = Math.DivRem(row, Config.HeadSize);
        return (head * Config.HeadSize) + (within % 2 * (Config.HeadSize / 2)) + (within / 2);
    }

    /// <summary>Hugging Face's name of a GGUF weight.</summary>
    private static string NameOf(string name)
    {
        if (name == WeightTable.Embedding)
            return "model.embed_tokens.weight";
        if (name == WeightTable.OutputNorm)
            return "model.norm.weight";
        if (name == WeightTable.Output)
            return "lm_head.weight";
        var parts = name.Split('.');
        var module = parts[2] switch
        {
            "attn_norm" => "input_layernorm",
            "ffn_norm" => "post_attention_layernorm",
            "attn_q_norm" => "self_attn.q_norm",
            "attn_k_norm" => "self_attn.k_norm",
            var target => AdapterTargets.All.First(one => one.Gguf == target).Module,
        };
        return $"model.layers.{parts[1]}.{module}.{parts[3]}";
    }

    private bool IsTurned(string name) =>
        Config.TurnsNeighbours
        && (name.Contains(".attn_q.", StringComparison.Ordinal) || name.Contains(".attn_k.", StringComparison.Ordinal));

    private void ReadRows(SafetensorsTensor tensor, long firstRow, long columns, Span<float> values)
    {
        var offset = firstRow * columns * tensor.Type.ItemBytes;
        if (tensor.Type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            folder.Read(tensor, offset, MemoryMarshal.AsBytes(values));
            return;
        }
        var bytes = new byte[values.Length * tensor.Type.ItemBytes];
        folder.Read(tensor, offset, bytes);
        Dequantiser.Read(GgufTypeOf(tensor.Type)!, bytes, values);
    }

    private void RequireComplete(HashSet<string> names)
    {
        foreach (var (name, shape) in WeightTable.Of(Config))
        {
            var theirs = NameOf(name);
            if (folder.Find(theirs) is not { } tensor)
                throw ModelFault.Of($"The folder has no {theirs}.");
            if (!tensor.Shape.SequenceEqual(shape))
            {
                throw ModelFault.Of(
                    $"{theirs} is [{string.Join(", ", tensor.Shape)}], not [{string.Join(", ", shape)}]."
                );
            }
            if (GgufTypeOf(tensor.Type) is null)
                throw ModelFault.Of($"{theirs} is {tensor.Type.Name}; this engine reads F32, F16 and BF16.");
            names.Remove(theirs);
        }
        // Tied models often carry their head once more; older ones their angles.
        names.RemoveWhere(name =>
            name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)
            || (Config.IsTied && name == "lm_head.weight")
        );
        if (names.Count > 0)
            throw ModelFault.Of($"The folder has {names.First()}, which this engine does not know.");
    }

    private static Formats.Gguf.GgufTensorType? GgufTypeOf(SafetensorsType type) =>
        type.Name switch
        {
            "F32" => Formats.Gguf.GgufTensorType.F32,
            "F16" => Formats.Gguf.GgufTensorType.F16,
            "BF16" => Formats.Gguf.GgufTensorType.Find(30),
            _ => null,
        };
}
