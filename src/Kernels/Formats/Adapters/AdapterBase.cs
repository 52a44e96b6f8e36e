using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>A base model, as far as an adapter has to do with it.</summary>
/// <param name="Architecture">llama.cpp's name.</param>
/// <param name="Sha256">Of its GGUF file, lower-case hexadecimal.</param>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="HeadSize">Rows of one head in the matrices of queries and keys.</param>
/// <param name="Matrices">Inputs and outputs of its matrices by tensor name.</param>
public sealed record AdapterBase(
    string Architecture,
    string Sha256,
    int Layers,
    int HeadSize,
    IReadOnlyDictionary<string, (long Inputs, long Outputs)> Matrices
)
{
    /// <exception cref="GgufException">It is no language model.</exception>
    public static AdapterBase From(GgufReader reader, string sha256)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var keys = new GgufModelKeys(reader);
        var facts = GgufModelFacts.From(reader);
        return new AdapterBase(
            facts.Architecture,
            sha256,
            facts.Layers,
            keys.Optional("attention.key_length", Limits.Width) ?? facts.Embedding / Math.Max(facts.Heads, 1),
            reader
                .Tensors.Where(tensor => tensor.Dimensions.Count == 2)
                .ToDictionary(
                    tensor => tensor.Name,
                    tensor => (tensor.Dimensions[0], tensor.Dimensions[1]),
                    StringComparer.Ordinal
                )
        );
    }
}
