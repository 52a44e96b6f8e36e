using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Torch.Worker;

/// <summary>What a session will take, from shapes alone; an upper bound.</summary>
internal static class TrainMemory
{
    private const int Single = sizeof(float);
    private const int Short = sizeof(ushort);

    /// <summary>Natives and their buffers, the runtime, and what an allocator keeps back.</summary>
    private const long ReserveBytes = 192L << 20;

    /// <summary>What allocators round up and leave between.</summary>
    private const double Slack = 1.25;

    public static TrainEstimate Of(LlamaConfig config, TrainSpec spec, long availableBytes)
    {
        var parameters = config.Parameters;
        var isLora = spec.Method == TrainMethod.Lora;
        var itemBytes = spec.Precision == TrainPrecision.Bf16 ? Short : Single;
        var trained = isLora ? AdapterParameters(config, spec) : parameters;
        var frozenA = isLora ? TrainedWeights.Targets(config, spec).Sum(one => spec.Adapter!.Rank * one.Inputs) : 0;
        var baseBytes = isLora ? (parameters * itemBytes) + (frozenA * Single) : 0;
        // A weight and its gradient; with it the gradient of one pass before it is added, and 16-bit copies.
        var copies = (2L * Single) + (isLora ? Single : Single / 2) + (itemBytes == Short ? Short : 0);
        var trainedBytes = trained * copies;
        var optimizer = trained * 2L * Single;
        var activations = (long)(ActivationBytes(config, spec, itemBytes) * Slack) + ReserveBytes;
        var whole = baseBytes + trainedBytes + optimizer + activations;
        return new TrainEstimate(whole, baseBytes, trainedBytes, optimizer, activations, availableBytes);
    }

    /// <summary>The refusal of a session that does not fit, with what would.</summary>
    public static EngineException Refusal(LlamaConfig config, TrainSpec spec, TrainEstimate estimate)
    {
        var fitting = Alternatives(spec)
            .Where(one => Of(config, one.Spec, estimate.AvailableBytes).MemoryBytes <= estimate.AvailableBytes)
            .Select(one => one.Text)
            .FirstOrDefault();
        var text =
            $"The session needs {Mebibytes(estimate.MemoryBytes)} MiB; {Mebibytes(estimate.AvailableBytes)} MiB are free. "
            + (fitting is null ? "Nothing of this model fits; choose a smaller one." : $"It would fit with {fitting}.");
        return new EngineException(EngineErrorClass.OutOfMemory, text, estimate.MemoryBytes, estimate.AvailableBytes);
    }

    /// <summary>What costs least comes first.</summary>
    private static IEnumerable<(string Text, TrainSpec Spec)> Alternatives(TrainSpec spec)
    {
        var one = spec with { RowsPerPass = 1 };
        for (var rows = spec.RowsPerPass / 2; rows >= 1; rows /= 2)
            yield return ($"rows_per_pass {rows}", spec with { RowsPerPass = rows });
        var again = one with { Recompute = true };
        yield return ("recompute and rows_per_pass 1", again);
        var shorts = again with { Precision = TrainPrecision.Bf16 };
        yield return ("precision bf16, recompute and rows_per_pass 1", shorts);
        if (spec.Adapter is null)
        {
            var lora = new AdapterShape(8, 16, AdapterTargets.Usual);
            yield return ("method lora of rank 8", spec with { Method = TrainMethod.Lora, Adapter = lora });
            yield return (
                "method lora of rank 8, precision bf16, recompute and rows_per_pass 1",
                shorts with
                {
                    Method = TrainMethod.Lora,
                    Adapter = lora,
                }
            );
        }
        for (var tokens = spec.RowTokens / 2; tokens >= 64; tokens /= 2)
            yield return ($"row_tokens {tokens}, bf16, recompute, rows_per_pass 1", shorts with { RowTokens = tokens });
    }

    private static long AdapterParameters(LlamaConfig config, TrainSpec spec) =>
        TrainedWeights
            .Targets(config, spec)
            .Sum(one => spec.Adapter!.Rank * (one.Outputs + (spec.Adapter.FrozenA ? 0 : one.Inputs)));

    private static double ActivationBytes(LlamaConfig config, TrainSpec spec, int itemBytes)
    {
        double tokens = (double)spec.RowsPerPass * spec.RowTokens;
        // The residual stream has 32 bits: it, its square and its normed copies, twice; the rest has those of the pass.
        var wide = 8.0 * config.Hidden * Single;
        var narrow =
            ((2.0 * config.Hidden) + (7.0 * config.QueryRows) + (3.0 * config.KeyRows) + (5.0 * config.FeedForward))
            * itemBytes;
        var adapters = spec.Adapter is { } shape ? 2.0 * shape.Rank * shape.Targets.Count * itemBytes : 0;
        var block = tokens * (wide + narrow + adapters);
        var kept = spec.Recompute
            ? (tokens * config.Hidden * Single * (config.Layers + 1)) + block
            : block * config.Layers;
        // On the way back: gradients of the widest parts of one block.
        var back = tokens * ((4.0 * config.FeedForward) + (6.0 * config.QueryRows) + (6.0 * config.Hidden)) * Single;
        var masks = spec.RowsPerPass * (double)spec.RowTokens * spec.RowTokens * (itemBytes + 2);
        var positions = Math.Min(tokens, Math.Max(1, OutputLoss.PieceFloats / config.Vocabulary));
        var logits = positions * config.Vocabulary * (Single + Single + itemBytes);
        var turning = 3.0 * config.Context * config.HeadSize * Single;
        return kept + back + masks + logits + (4 * tokens * config.Hidden * Single) + turning;
    }

    private static long Mebibytes(long bytes) => bytes >> 20;
}
