namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>Metadata keys of a language model, most of them under the name of its architecture.</summary>
internal sealed class GgufModelKeys
{
    public const string ChatTemplate = "tokenizer.chat_template";

    private readonly GgufReader reader;

    public GgufModelKeys(GgufReader reader)
    {
        this.reader = reader;
        Architecture = reader.Metadata.Text("general.architecture") is { Length: > 0 } name
            ? name
            : throw Missing("general.architecture");
    }

    public string Architecture { get; }

    public int? Optional(string key, int limit) => reader.Metadata.Count($"{Architecture}.{key}", limit);

    public int Required(string key, int limit) =>
        Optional(key, limit) switch
        {
            null => throw Missing($"{Architecture}.{key}"),
            0 => throw new GgufException(GgufFault.Model, $"{Architecture}.{key} is 0."),
            { } value => value,
        };

    /// <summary>A width that is one number for all layers or an array with one per layer; null where absent.</summary>
    public int[]? PerLayer(string key, int layers)
    {
        var full = $"{Architecture}.{key}";
        if (!reader.Metadata.TryGet(full, out var value))
            return null;
        if (value is not GgufArray array)
            return [reader.Metadata.Count(full, Limits.Width) ?? 0];
        if (array.Count != layers)
            throw new GgufException(GgufFault.Model, $"{full} has {array.Count} items for {layers} layers.");
        var numbers = reader.ReadNumbers(array);
        if (numbers.Any(number => number is < 0 or > Limits.Width))
            throw new GgufException(GgufFault.Model, $"{full} has an item outside 0 to {Limits.Width}.");
        return numbers;
    }

    /// <summary>From the token list, else the announced size, else the rows of the embedding table.</summary>
    public int VocabSize()
    {
        if (reader.Metadata.TryGet("tokenizer.ggml.tokens", out _))
            return reader.Metadata.Array("tokenizer.ggml.tokens")!.Count;
        if (Optional("vocab_size", Limits.ArrayItems) is { } announced)
            return announced;
        var table = reader.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight");
        return table is { Dimensions.Count: 2 }
            ? (int)Math.Min(table.Dimensions[1], int.MaxValue)
            : throw Missing("tokenizer.ggml.tokens");
    }

    private static GgufException Missing(string key) =>
        new(GgufFault.Model, $"The file has no {key}: it is not a language model this program can serve.");
}
