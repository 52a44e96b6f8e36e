using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Functions = TorchSharp.torch.nn.functional;

namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>
/// A Llama-architecture decoder whose weights carry GGUF names and whose rotary angles turn neighbouring pairs, as the
/// <c>llama</c> architecture of GGUF wants, so that weights are exported without permutation. The output head is the
/// embedding table.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    /// <summary>Name of the embedding table, which is the output head too.</summary>
    public const string EmbeddingName = "token_embd.weight";

    private readonly List<(string Name, Parameter Value)> parameters = [];
    private readonly Dictionary<string, Parameter> byName = new(StringComparer.Ordinal);
    private readonly Tensor cosines;
    private readonly Tensor sines;

    /// <summary>Weights from a seeded normal distribution; projections back into the residual stream start smaller.</summary>
    public LlamaModel(LlamaConfig config, long seed)
    {
        Config = config;
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var kvWidth = config.KvHeads * config.HeadSize;
        const float Deviation = 0.02f;
        var residualDeviation = Deviation / MathF.Sqrt(2f * config.Layers);
        AddMatrix(EmbeddingName, config.Vocabulary, config.Hidden, Deviation, generator);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var prefix = $"blk.{layer}.";
            AddNorm(prefix + "attn_norm.weight");
            AddMatrix(prefix + "attn_q.weight", config.Hidden, config.Hidden, Deviation, generator);
            AddMatrix(prefix + "attn_k.weight", kvWidth, config.Hidden, Deviation, generator);
            AddMatrix(prefix + "attn_v.weight", kvWidth, config.Hidden, Deviation, generator);
            AddMatrix(prefix + "attn_output.weight", config.Hidden, config.Hidden, residualDeviation, generator);
            AddNorm(prefix + "ffn_norm.weight");
            AddMatrix(prefix + "ffn_gate.weight", config.FeedForward, config.Hidden, Deviation, generator);
            AddMatrix(prefix + "ffn_up.weight", config.FeedForward, config.Hidden, Deviation, generator);
            AddMatrix(prefix + "ffn_down.weight", config.Hidden, config.FeedForward, residualDeviation, generator);
        }
        AddNorm("output_norm.weight");
        var exponents = arange(0, config.HeadSize, 2, ScalarType.Float32) / config.HeadSize;
        var frequencies = exp(exponents * -MathF.Log(LlamaConfig.RopeBase));
        var angles = outer(arange(config.Context, dtype: ScalarType.Float32), frequencies);
        cosines = angles.cos().DetachFromDisposeScope();
        sines = angles.sin().DetachFromDisposeScope();
    }

    /// <summary>The model's shape.</summary>
    public LlamaConfig Config { get; }

    /// <summary>All weights in the order of the file, matrices as [rows, columns].</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters => parameters;

    /// <summary>Logits [batch, tokens, vocabulary] of token ids [batch, tokens].</summary>
    public Tensor Forward(Tensor ids)
    {
        var batch = ids.shape[0];
        var tokens = ids.shape[1];
        var state = byName[EmbeddingName].index_select(0, ids.reshape(-1)).view(batch, tokens, Config.Hidden);
        for (var layer = 0; layer < Config.Layers; layer++)
            state = Block(state, $"blk.{layer}.");
        return Linear(Norm(state, "output_norm.weight"), EmbeddingName);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, value) in parameters)
            value.Dispose();
        cosines.Dispose();
        sines.Dispose();
    }

    private Tensor Block(Tensor state, string prefix)
    {
        var normed = Norm(state, prefix + "attn_norm.weight");
        var queries = Rotate(SplitHeads(Linear(normed, prefix + "attn_q.weight"), Config.Heads));
        var keys = Rotate(SplitHeads(Linear(normed, prefix + "attn_k.weight"), Config.KvHeads));
        var values = SplitHeads(Linear(normed, prefix + "attn_v.weight"), Config.KvHeads);
        var shared = Config.Heads / Config.KvHeads;
        var attended = Functions.scaled_dot_product_attention(
            queries,
            keys.repeat_interleave(shared, 1),
            values.repeat_interleave(shared, 1),
            is_casual: true
        );
        var joined = attended.transpose(1, 2).reshape(state.shape);
        state += Linear(joined, prefix + "attn_output.weight");
        normed = Norm(state, prefix + "ffn_norm.weight");
        var gate = Functions.silu(Linear(normed, prefix + "ffn_gate.weight"));
        return state + Linear(gate * Linear(normed, prefix + "ffn_up.weight"), prefix + "ffn_down.weight");
    }

    private Tensor SplitHeads(Tensor wide, int heads) =>
        wide.view(wide.shape[0], wide.shape[1], heads, Config.HeadSize).transpose(1, 2);

    private Tensor Rotate(Tensor heads)
    {
        var shape = heads.shape;
        var pairs = heads.reshape(shape[0], shape[1], shape[2], Config.HeadSize / 2, 2);
        var even = pairs.select(-1, 0);
        var odd = pairs.select(-1, 1);
        var cosine = cosines.narrow(0, 0, shape[2]);
        var sine = sines.narrow(0, 0, shape[2]);
        return stack([(even * cosine) - (odd * sine), (even * sine) + (odd * cosine)], -1).reshape(shape);
    }

    private Tensor Norm(Tensor state, string name)
    {
        var meanSquare = state.square().mean([-1L], true);
        return state * rsqrt(meanSquare + LlamaConfig.NormEpsilon) * byName[name];
    }

    private Tensor Linear(Tensor input, string name) => Functions.linear(input, byName[name]);

    private void AddMatrix(string name, int rows, int columns, float deviation, Generator generator) =>
        Add(name, randn([rows, columns], generator: generator) * deviation);

    private void AddNorm(string name) => Add(name, ones(Config.Hidden));

    private void Add(string name, Tensor value)
    {
        var parameter = new Parameter(value.detach().clone().DetachFromDisposeScope());
        _ = parameter.DetachFromDisposeScope();
        parameters.Add((name, parameter));
        byName.Add(name, parameter);
    }
}
