using EgpuFleet.Kernels.Torch.Fused;
using TorchSharp;
using static TorchSharp.torch;
using Functions = TorchSharp.torch.nn.functional;

namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>
/// A decoder of the Llama family (llama, qwen2, qwen3) whose weights carry GGUF names and lie as GGUF wants them, so that they
/// go in and out without permutation. Weights are trained, or frozen with adapters beside them.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    /// <summary>Name of the embedding table.</summary>
    public const string EmbeddingName = WeightTable.Embedding;

    private readonly Dictionary<string, Tensor> byName;
    private readonly Dictionary<string, Adapter> adapters;
    private readonly Rotary rotary;
    private readonly ScalarType compute;

    /// <summary>A fresh model, all of it trained.</summary>
    public LlamaModel(LlamaConfig config, long seed)
        : this(config, InitialWeights.Of(config, seed), [], config.Context, ScalarType.Float32)
    {
        foreach (var (_, value) in Parameters)
            _ = value.requires_grad_();
    }

    /// <summary>Takes weights and adapters over.</summary>
    /// <param name="positions">Of the longest row it will see.</param>
    /// <param name="compute">In which floats matrices are multiplied; the residual stream has 32 bits always.</param>
    internal LlamaModel(
        LlamaConfig config,
        IReadOnlyList<(string Name, Tensor Value)> weights,
        IReadOnlyList<Adapter> adapters,
        int positions,
        ScalarType compute
    )
    {
        Config = config;
        Parameters = weights;
        Adapters = adapters;
        this.compute = compute;
        byName = weights.ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal);
        this.adapters = adapters.ToDictionary(adapter => adapter.Name, StringComparer.Ordinal);
        rotary = new Rotary(config, positions);
    }

    /// <summary>The model's shape.</summary>
    public LlamaConfig Config { get; }

    /// <summary>All weights in the order of the file, matrices as [rows, columns].</summary>
    public IReadOnlyList<(string Name, Tensor Value)> Parameters { get; }

    /// <summary>By layer, then in the order of a block.</summary>
    internal IReadOnlyList<Adapter> Adapters { get; }

    internal Tensor Embedding => byName[WeightTable.Embedding];

    /// <summary>Weights of the output head [vocabulary, hidden].</summary>
    internal Tensor Output => byName[Config.IsTied ? WeightTable.Embedding : WeightTable.Output];

    /// <summary>Logits [batch, tokens, vocabulary] of token ids [batch, tokens].</summary>
    public Tensor Forward(Tensor ids)
    {
        var state = Embed(ids);
        for (var layer = 0; layer < Config.Layers; layer++)
            state = Block(state, layer, mask: null);
        return Functions.linear(Normed(state), InFloatsOfPass(Output));
    }

    /// <summary>[batch, tokens] to [batch, tokens, hidden].</summary>
    internal Tensor Embed(Tensor ids)
    {
        var rows = Embedding.index_select(0, ids.reshape(-1)).view(ids.shape[0], ids.shape[1], Config.Hidden);
        return rows.dtype == ScalarType.Float32 ? rows : rows.to(ScalarType.Float32);
    }

    /// <summary>What the output head multiplies.</summary>
    internal Tensor Normed(Tensor state) => Norm(state, WeightTable.OutputNorm);

    /// <summary>A weight as a pass multiplies with it.</summary>
    internal Tensor InFloatsOfPass(Tensor weight) => weight.dtype == compute ? weight : weight.to(compute);

    /// <summary>One transformer block.</summary>
    /// <param name="mask">Added to scores [batch, 1, tokens, tokens]; null: each token sees all before it.</param>
    internal Tensor Block(Tensor state, int layer, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var prefix = WeightTable.Prefix(layer);
        var attended = Attend(Norm(state, prefix + "attn_norm.weight"), prefix, mask);
        var middle = state + Linear(attended, prefix + "attn_output");
        var normed = Norm(middle, prefix + "ffn_norm.weight");
        var gated = Gated(Linear(normed, prefix + "ffn_gate"), Linear(normed, prefix + "ffn_up"));
        return (middle + Linear(gated, prefix + "ffn_down")).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, value) in Parameters)
            value.Dispose();
        foreach (var adapter in Adapters)
            adapter.Dispose();
        rotary.Dispose();
    }

    private Tensor Attend(Tensor normed, string prefix, Tensor? mask)
    {
        var queries = Turned(normed, prefix + "attn_q", Config.Heads);
        var keys = Turned(normed, prefix + "attn_k", Config.KvHeads);
        var values = SplitHeads(Linear(normed, prefix + "attn_v"), Config.KvHeads);
        var attended = Functions.scaled_dot_product_attention(
            queries.transpose(1, 2),
            ForQueries(keys).transpose(1, 2),
            ForQueries(values).transpose(1, 2),
            attn_mask: mask,
            is_casual: mask is null
        );
        return attended.transpose(1, 2).reshape(normed.shape[0], normed.shape[1], Config.QueryRows);
    }

    private Tensor Turned(Tensor normed, string name, int heads)
    {
        var split = SplitHeads(Linear(normed, name), heads);
        return rotary.Turn(Config.NormsHeads ? Norm(split, name + "_norm.weight") : split);
    }

    /// <summary>[batch, tokens, rows] to [batch, tokens, heads, head size].</summary>
    private Tensor SplitHeads(Tensor wide, int heads) =>
        wide.view(wide.shape[0], wide.shape[1], heads, Config.HeadSize);

    /// <summary>Each key or value head as often as queries share it.</summary>
    private Tensor ForQueries(Tensor heads)
    {
        var shared = Config.Heads / Config.KvHeads;
        return shared == 1 ? heads : heads.unsqueeze(3).expand(-1, -1, -1, shared, -1).flatten(2, 3);
    }

    private Tensor Norm(Tensor state, string name)
    {
        var exact = state.dtype == ScalarType.Float32 ? state : state.to(ScalarType.Float32);
        var normed = RowNorm.apply(exact, byName[name], Config.NormEpsilon);
        return compute == ScalarType.Float32 ? normed : normed.to(compute);
    }

    private static Tensor Gated(Tensor gate, Tensor up) =>
        gate.dtype == ScalarType.Float32 ? Gate.apply(gate, up) : Functions.silu(gate) * up;

    private Tensor Linear(Tensor input, string name)
    {
        var bias = byName.TryGetValue(name + ".bias", out var found) ? InFloatsOfPass(found) : null;
        var whole = Functions.linear(input, InFloatsOfPass(byName[name + ".weight"]), bias);
        if (!adapters.TryGetValue(name, out var adapter))
            return whole;
        var narrow = Functions.linear(input, InFloatsOfPass(adapter.A)).view(-1, adapter.A.shape[0]);
        return addmm(whole.view(-1, whole.shape[^1]), narrow, InFloatsOfPass(adapter.B).t(), 1, adapter.Scale)
            .view(whole.shape);
    }
}
