using EgpuFleet.Kernels.Torch.Model;

namespace EgpuFleet.Torch.Tests;

/// <summary>The same decoder written with loops over doubles, token by token, to compare with.</summary>
internal sealed class ReferenceLlama
{
    private readonly LlamaConfig config;
    private readonly Dictionary<string, float[]> weights;

    public ReferenceLlama(LlamaModel model)
    {
        config = model.Config;
        weights = model.Parameters.ToDictionary(entry => entry.Name, entry => entry.Value.data<float>().ToArray());
    }

    /// <summary>Logits of every position.</summary>
    public double[][] Forward(int[] tokens)
    {
        var states = tokens.Select(token => Row(LlamaModel.EmbeddingName, token, config.Hidden)).ToArray();
        for (var layer = 0; layer < config.Layers; layer++)
            Block(states, $"blk.{layer}.");
        return [.. states.Select(state => Multiply(LlamaModel.EmbeddingName, Norm("output_norm.weight", state)))];
    }

    private void Block(double[][] states, string prefix)
    {
        var normed = states.Select(state => Norm(prefix + "attn_norm.weight", state)).ToArray();
        var queries = normed.Select((state, i) => Rotate(Multiply(prefix + "attn_q.weight", state), i)).ToArray();
        var keys = normed.Select((state, i) => Rotate(Multiply(prefix + "attn_k.weight", state), i)).ToArray();
        var values = normed.Select(state => Multiply(prefix + "attn_v.weight", state)).ToArray();
        for (var position = 0; position < states.Length; position++)
        {
            var attended = new double[config.Hidden];
            for (var head = 0; head < config.Heads; head++)
                Attend(queries[position], keys, values, position, head, attended);
            Add(states[position], Multiply(prefix + "attn_output.weight", attended));
            var inner = Norm(prefix + "ffn_norm.weight", states[position]);
            var gate = Multiply(prefix + "ffn_gate.weight", inner);
            var up = Multiply(prefix + "ffn_up.weight", inner);
            var gated = gate.Zip(up, (left, right) => left / (1 + Math.Exp(-left)) * right).ToArray();
            Add(states[position], Multiply(prefix + "ffn_down.weight", gated));
        }
    }

    private void Attend(double[] query, double[][] keys, double[][] values, int position, int head, double[] result)
    {
        var size = config.HeadSize;
        var shared = head / (config.Heads / config.KvHeads) * size;
        var scores = new double[position + 1];
        for (var i = 0; i <= position; i++)
        {
            for (var j = 0; j < size; j++)
                scores[i] += query[(head * size) + j] * keys[i][shared + j] / Math.Sqrt(size);
        }
        var largest = scores.Max();
        var shares = scores.Select(score => Math.Exp(score - largest)).ToArray();
        var sum = shares.Sum();
        for (var i = 0; i <= position; i++)
        {
            for (var j = 0; j < size; j++)
                result[(head * size) + j] += shares[i] / sum * values[i][shared + j];
        }
    }

    private double[] Rotate(double[] heads, int position)
    {
        var size = config.HeadSize;
        for (var i = 0; i < heads.Length; i += 2)
        {
            var angle = position * Math.Pow(config.RopeBase, -(double)(i % size) / size);
            var (sine, cosine) = Math.SinCos(angle);
            (heads[i], heads[i + 1]) = (
                (heads[i] * cosine) - (heads[i + 1] * sine),
                (heads[i] * sine) + (heads[i + 1] * cosine)
            );
        }
        return heads;
    }

    private double[] Norm(string name, double[] state)
    {
        var scale = 1 / Math.Sqrt(state.Average(value => value * value) + config.NormEpsilon);
        return [.. state.Select((value, i) => value * scale * weights[name][i])];
    }

    private double[] Multiply(string name, double[] input)
    {
        var rows = weights[name].Length / input.Length;
        return [.. Enumerable.Range(0, rows).Select(row => Dot(Row(name, row, input.Length), input))];
    }

    private double[] Row(string name, int row, int columns) =>
        [.. weights[name].AsSpan(row * columns, columns).ToArray().Select(value => (double)value)];

    private static double Dot(double[] left, double[] right) => left.Zip(right, (a, b) => a * b).Sum();

    private static void Add(double[] state, double[] change)
    {
        for (var i = 0; i < state.Length; i++)
            state[i] += change[i];
    }
}
