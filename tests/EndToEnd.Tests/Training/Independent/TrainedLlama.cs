using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;

namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>The sample model, frozen, with an adapter beside every matrix of its blocks.</summary>
internal sealed class TrainedLlama
{
    private readonly Dictionary<string, Matrix> weights;
    private readonly Dictionary<string, (Matrix A, Matrix B)> adapters;
    private readonly GgufModelFacts facts;
    private readonly double epsilon;
    private readonly double rotaryBase;
    private readonly double scale;

    /// <param name="alpha">Over the rank, the scale of the adapters.</param>
    /// <param name="seed">Of their beginning, which is part of the recipe.</param>
    public TrainedLlama(GgufReader reader, int rank, double alpha, long seed)
    {
        facts = GgufModelFacts.From(reader);
        epsilon = Number(reader, "attention.layer_norm_rms_epsilon");
        rotaryBase = Number(reader, "rope.freq_base");
        scale = alpha / rank;
        weights = reader.Tensors.ToDictionary(tensor => tensor.Name, tensor => Frozen(reader, tensor));
        adapters = Enumerable
            .Range(0, facts.Layers)
            .SelectMany(layer => AdapterModules.All.Select(module => $"blk.{layer}.{module.Gguf}"))
            .ToDictionary(name => name, name => Start(name, rank, seed));
    }

    /// <summary>What learns.</summary>
    public IEnumerable<Matrix> Learning => adapters.Values.SelectMany(pair => new[] { pair.A, pair.B });

    /// <summary>Sum of the losses of one row, in nats.</summary>
    public double Forward(Tape tape, ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, ReadOnlySpan<int> segments)
    {
        var state = Embed(ids);
        for (var layer = 0; layer < facts.Layers; layer++)
        {
            var block = $"blk.{layer}.";
            var normed = tape.Norm(state, weights[block + "attn_norm.weight"], epsilon);
            var attended = tape.Attend(
                tape.Turn(Linear(tape, normed, block + "attn_q"), HeadSize, rotaryBase),
                tape.Turn(Linear(tape, normed, block + "attn_k"), HeadSize, rotaryBase),
                Linear(tape, normed, block + "attn_v"),
                HeadSize,
                segments
            );
            var middle = tape.Sum(state, Linear(tape, attended, block + "attn_output"));
            var inner = tape.Norm(middle, weights[block + "ffn_norm.weight"], epsilon);
            var gated = tape.Gate(Linear(tape, inner, block + "ffn_gate"), Linear(tape, inner, block + "ffn_up"));
            state = tape.Sum(middle, Linear(tape, gated, block + "ffn_down"));
        }
        var last = tape.Norm(state, weights["output_norm.weight"], epsilon);
        return tape.Loss(tape.Times(last, weights["token_embd.weight"]), targets);
    }

    private int HeadSize => facts.Embedding / facts.Heads;

    private Matrix Linear(Tape tape, Matrix inputs, string name)
    {
        var (a, b) = adapters[name];
        var whole = tape.Times(inputs, weights[name + ".weight"]);
        return tape.Sum(whole, tape.Times(tape.Times(inputs, a), b), scale);
    }

    private Matrix Embed(ReadOnlySpan<int> ids)
    {
        var state = new Matrix(ids.Length, facts.Embedding, new double[ids.Length * facts.Embedding], learns: false);
        for (var row = 0; row < ids.Length; row++)
            weights["token_embd.weight"].Row(ids[row]).CopyTo(state.Row(row));
        return state;
    }

    private (Matrix A, Matrix B) Start(string name, int rank, long seed)
    {
        var weight = weights[name + ".weight"];
        var a = AdapterStart.Of(seed, name + ".lora_a", rank, weight.Columns).Select(value => (double)value).ToArray();
        return (new Matrix(rank, weight.Columns, a, learns: true), new Matrix(weight.Rows, rank));
    }

    private static Matrix Frozen(GgufReader reader, GgufTensor tensor)
    {
        var (bytes, values) = (new byte[tensor.Bytes], new float[tensor.Items]);
        reader.ReadTensor(tensor, 0, bytes);
        Dequantiser.Read(tensor.Type, bytes, values);
        var columns = (int)tensor.Dimensions[0];
        return new Matrix(values.Length / columns, columns, [.. values.Select(value => (double)value)], learns: false);
    }

    private static double Number(GgufReader reader, string key) =>
        reader.Metadata.TryGet("llama." + key, out var value)
            ? (double)(float)(double)value
            : throw new KeyNotFoundException(key);
}
