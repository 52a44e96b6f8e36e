namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>Every weight of a model by its GGUF name and shape, matrices as [rows, columns], in the order of the file.</summary>
internal static class WeightTable
{
    public const string Embedding = "token_embd.weight";
    public const string OutputNorm = "output_norm.weight";
    public const string Output = "output.weight";

    public static IReadOnlyList<(string Name, long[] Shape)> Of(LlamaConfig config)
    {
        var all = new List<(string, long[])> { (Embedding, [config.Vocabulary, config.Hidden]) };
        for (var layer = 0; layer < config.Layers; layer++)
            all.AddRange(Block(config, Prefix(layer)));
        all.Add((OutputNorm, [config.Hidden]));
        if (!config.IsTied)
            all.Add((Output, [config.Vocabulary, config.Hidden]));
        return all;
    }

    public static string Prefix(int layer) => FormattableString.Invariant($"blk.{layer}.");

    private static IEnumerable<(string Name, long[] Shape)> Block(LlamaConfig config, string prefix)
    {
        yield return (prefix + "attn_norm.weight", [config.Hidden]);
        foreach (var (name, rows) in Heads(config))
        {
            yield return ($"{prefix}attn_{name}.weight", [rows, config.Hidden]);
            if (config.HasBiases)
                yield return ($"{prefix}attn_{name}.bias", [rows]);
        }
        if (config.NormsHeads)
        {
            yield return (prefix + "attn_q_norm.weight", [config.HeadSize]);
            yield return (prefix + "attn_k_norm.weight", [config.HeadSize]);
        }
        yield return (prefix + "attn_output.weight", [config.Hidden, config.QueryRows]);
        yield return (prefix + "ffn_norm.weight", [config.Hidden]);
        yield return (prefix + "ffn_gate.weight", [config.FeedForward, config.Hidden]);
        yield return (prefix + "ffn_up.weight", [config.FeedForward, config.Hidden]);
        yield return (prefix + "ffn_down.weight", [config.Hidden, config.FeedForward]);
    }

    private static (string Name, long Rows)[] Heads(LlamaConfig config) =>
        [("q", config.QueryRows), ("k", config.KeyRows), ("v", config.KeyRows)];
}
