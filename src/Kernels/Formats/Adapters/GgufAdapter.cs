using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>
/// An adapter as a GGUF file for llama.cpp. Its matrices are those of the state, in the base's own order of rows. It names
/// the base by content, so that it is never served beside another.
/// </summary>
/// <param name="Architecture">Of its base.</param>
/// <param name="BaseSha256">Of its base's GGUF file.</param>
/// <param name="Parameters">Numbers in all its tensors.</param>
/// <param name="Bytes">Of all its tensors.</param>
public sealed record GgufAdapter(string Architecture, string BaseSha256, long Parameters, long Bytes)
{
    private const string TypeKey = "general.type";
    private const string ArchitectureKey = "general.architecture";
    private const string KindKey = "adapter.type";
    private const string AlphaKey = "adapter.lora.alpha";
    private const string BaseKey = "egpufleet.base.sha256";
    private const string A = ".lora_a";
    private const string B = ".lora_b";

    /// <summary>Describes the file; the same state always gives the same bytes.</summary>
    public static GgufWriter Describe(AdapterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var writer = new GgufWriter();
        writer.Add(ArchitectureKey, state.Base.Architecture);
        writer.Add(TypeKey, "adapter");
        writer.Add(KindKey, "lora");
        writer.Add(AlphaKey, (float)state.Form.Alpha);
        // All F32, in llama.cpp's numbers.
        writer.Add("general.file_type", 0u);
        writer.Add(BaseKey, state.Base.Sha256);
        foreach (var matrix in state.Matrices)
        {
            foreach (var (suffix, part) in new[] { (A, matrix.A), (B, matrix.B) })
            {
                writer.AddTensor(
                    matrix.GgufName + suffix,
                    GgufTensorType.F32,
                    [part.Shape[1], part.Shape[0]],
                    part.WriteTo
                );
            }
        }
        return writer;
    }

    /// <summary>Whether a file says of itself that it is an adapter; it may be a bad one.</summary>
    public static bool IsOne(GgufReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return reader.Metadata.TryGet(TypeKey, out var type) && type is "adapter";
    }

    /// <summary>Reads an adapter as the hostile thing it is: engines trust such files more than they should.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFault.Format"/>.</exception>
    /// <exception cref="GgufException">A key has a value of another type.</exception>
    public static GgufAdapter From(GgufReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        if (!IsOne(reader) || reader.Metadata.Text(KindKey) != "lora")
            throw Bad("it is no adapter of the kind lora");
        if (!reader.Metadata.TryGet(AlphaKey, out var alpha) || alpha is not (double and > 0 and < float.MaxValue))
            throw Bad($"{AlphaKey} is no positive number");
        if (reader.Metadata.Keys.Any(key => key.StartsWith("adapter.alora", StringComparison.Ordinal)))
            throw Bad("it is switched on by tokens, which is not supported");
        var architecture = reader.Metadata.Text(ArchitectureKey) ?? throw Bad($"it has no {ArchitectureKey}");
        var sha256 = reader.Metadata.Text(BaseKey) ?? throw Bad($"it does not name its base model ({BaseKey})");
        if (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigitLower))
            throw Bad($"{BaseKey} is no SHA-256");
        _ = Pairs(reader).Count();
        return new GgufAdapter(
            architecture,
            sha256,
            reader.Tensors.Sum(tensor => tensor.Items),
            reader.Tensors.Sum(tensor => tensor.Bytes)
        );
    }

    /// <summary>Checks that the adapter belongs to a base model.</summary>
    /// <exception cref="AdapterException"><see cref="AdapterFault.OtherBase"/>, and as of <see cref="From"/>.</exception>
    /// <exception cref="GgufException">One of the two is not well-formed.</exception>
    public static GgufAdapter For(GgufReader adapter, GgufReader model, string sha256)
    {
        var facts = From(adapter);
        var known = AdapterBase.From(model, sha256);
        if (facts.BaseSha256 != known.Sha256)
            throw Other($"it was made for the model {facts.BaseSha256}, not for {known.Sha256}");
        if (facts.Architecture != known.Architecture)
            throw Other($"it is for the architecture {facts.Architecture}, not for {known.Architecture}");
        foreach (var (name, a, b) in Pairs(adapter))
        {
            if (!known.Matrices.TryGetValue(name, out var size))
                throw Other($"the model has no matrix {name}");
            if (a.Dimensions[0] != size.Inputs || b.Dimensions[1] != size.Outputs)
                throw Other(
                    $"{name} of the model is {size.Outputs} x {size.Inputs}, not {b.Dimensions[1]} x {a.Dimensions[0]}"
                );
        }
        return facts;
    }

    /// <summary>Each matrix with its two parts, which must be there and fit each other.</summary>
    private static IEnumerable<(string Name, GgufTensor A, GgufTensor B)> Pairs(GgufReader reader)
    {
        if (reader.Tensors.Count == 0)
            throw Bad("it has no tensors");
        var byName = reader.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        foreach (var tensor in reader.Tensors)
        {
            var name = tensor.Name.Length > A.Length ? tensor.Name[..^A.Length] : "";
            var isA = tensor.Name.EndsWith(A, StringComparison.Ordinal);
            if (!isA && !tensor.Name.EndsWith(B, StringComparison.Ordinal))
                throw Bad($"{tensor.Name} is no part of an adapter");
            if (
                tensor.Dimensions.Count != 2
                || (tensor.Type != GgufTensorType.F32 && tensor.Type != GgufTensorType.F16)
            )
                throw Bad($"{tensor.Name} is no matrix of F32 or F16");
            if (!byName.TryGetValue(name + (isA ? B : A), out var other) || other.Dimensions.Count != 2)
                throw Bad($"{tensor.Name} is alone");
            // Engines look embeddings up instead of multiplying by them, and lay such adapters out otherwise.
            if (name == "token_embd.weight")
                throw Bad("it changes the embeddings, which is not supported");
            if (!isA)
                continue;
            if (tensor.Dimensions[1] != other.Dimensions[0] || tensor.Dimensions[1] > Limits.AdapterRank)
                throw Bad($"the parts of {name} have ranks {tensor.Dimensions[1]} and {other.Dimensions[0]}");
            yield return (name, tensor, other);
        }
    }

    private static AdapterException Bad(string why) =>
        new(AdapterFault.Format, $"The file is not an adapter that can be served: {why}.");

    private static AdapterException Other(string why) =>
        new(AdapterFault.OtherBase, $"The adapter belongs to another base model: {why}.");
}
