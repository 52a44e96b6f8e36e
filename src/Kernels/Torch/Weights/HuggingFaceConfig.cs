using System.Text.Json;
using EgpuFleet.Kernels.Torch.Model;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>The shape of a model from <c>config.json</c>; what this engine would compute otherwise is refused.</summary>
internal static class HuggingFaceConfig
{
    private const string Name = "config.json";

    public static LlamaConfig Read(string folder, IReadOnlySet<string> tensors)
    {
        var path = Path.Combine(folder, Name);
        if (new FileInfo(path).Length > Limits.ConfigBytes)
            throw ModelFault.Of($"{Name} is longer than {Limits.ConfigBytes} bytes.");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw ModelFault.Of($"{Name} is no object.");
        return Read(document.RootElement, tensors);
    }

    private static LlamaConfig Read(JsonElement root, IReadOnlySet<string> tensors)
    {
        var architecture = Text(root, "model_type") ?? "";
        if (architecture is not ("llama" or "qwen2" or "qwen3"))
            throw ModelFault.Of($"This engine trains llama, qwen2 and qwen3, not {architecture}.");
        if ((Text(root, "hidden_act") ?? "silu") != "silu" || IsTrue(root, "use_sliding_window"))
            throw ModelFault.Of("Activations other than silu and sliding windows are not known to this engine.");
        var (hidden, heads) = (Required(root, "hidden_size"), Required(root, "num_attention_heads"));
        var kvHeads = Count(root, "num_key_value_heads") ?? heads;
        var headSize = Count(root, "head_dim") ?? (hidden / heads);
        if (heads % kvHeads != 0 || headSize < 2 || headSize % 2 != 0)
            throw ModelFault.Of($"{heads} heads of {headSize} over {kvHeads} are no attention.");
        var rope = Part(root, "rope_parameters") ?? Part(root, "rope_scaling");
        var ropeBase = Number(root, "rope_theta") ?? (rope is { } own ? Number(own, "rope_theta") : null) ?? 10_000;
        return new LlamaConfig(
            hidden,
            Required(root, "num_hidden_layers", Formats.Limits.Layers),
            Required(root, "intermediate_size"),
            heads,
            kvHeads,
            Required(root, "vocab_size"),
            Required(root, "max_position_embeddings", Formats.Limits.Context)
        )
        {
            Architecture = architecture,
            HeadSize = headSize,
            NormEpsilon = (float)(Number(root, "rms_norm_eps") ?? 1e-6),
            RopeBase = (float)ropeBase,
            RopeDivisors = rope is { } scaling ? RopeDivisors(scaling, ropeBase, headSize) : [],
            IsTied = IsTrue(root, "tie_word_embeddings") || !tensors.Contains("lm_head.weight"),
            HasBiases = tensors.Contains("model.layers.0.self_attn.q_proj.bias"),
            NormsHeads = tensors.Contains("model.layers.0.self_attn.q_norm.weight"),
        };
    }

    private static float[] RopeDivisors(JsonElement scaling, double ropeBase, int headSize) =>
        (Text(scaling, "rope_type") ?? Text(scaling, "type") ?? "default") switch
        {
            "default" => [],
            "linear" => [.. Enumerable.Repeat((float)(Number(scaling, "factor") ?? 1), headSize / 2)],
            "llama3" => Llama3(scaling, ropeBase, headSize),
            var other => throw ModelFault.Of($"Rotary scaling {other} is not known to this engine."),
        };

    /// <summary>Short waves stay, long ones are stretched, those between in part.</summary>
    private static float[] Llama3(JsonElement scaling, double ropeBase, int headSize)
    {
        var factor = Number(scaling, "factor") ?? 8;
        var low = Number(scaling, "low_freq_factor") ?? 1;
        var high = Number(scaling, "high_freq_factor") ?? 4;
        var context = Number(scaling, "original_max_position_embeddings") ?? 8192;
        var divisors = new float[headSize / 2];
        for (var i = 0; i < divisors.Length; i++)
        {
            var turns = context / (2 * Math.PI * Math.Pow(ropeBase, 2.0 * i / headSize));
            var share = Math.Clamp((turns - low) / (high - low), 0, 1);
            divisors[i] = (float)(1 / (((1 - share) / factor) + share));
        }
        return divisors;
    }

    private static int Required(JsonElement root, string name, int most = Formats.Limits.Width) =>
        Count(root, name, most) ?? throw ModelFault.Of($"{Name} has no {name}.");

    private static int? Count(JsonElement root, string name, int most = Formats.Limits.Width) =>
        Number(root, name) is not { } number ? null
        : number >= 1 && number <= most && Math.Floor(number) == number ? (int)number
        : throw ModelFault.Of($"{name} is {number}, not a whole number in 1..{most}.");

    private static double? Number(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number > 0
            ? number
            : throw ModelFault.Of($"{name} of {Name} is no number over 0.");
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsTrue(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static JsonElement? Part(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
