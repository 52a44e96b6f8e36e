using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Training;

/// <summary>What must hold of training before an engine sees it; what depends on the model is the engine's to check.</summary>
public static class TrainRules
{
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>.</exception>
    public static void Check(TrainSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        RequirePath(spec.Path);
        if (!File.Exists(spec.Path) && !Directory.Exists(spec.Path))
            throw Invalid($"There is no file and no folder '{spec.Path}'.");
        LoadSpecRules.RequireHash(spec.ContentHash);
        LoadSpecRules.InRange("threads", spec.Threads, 1, Limits.Threads);
        LoadSpecRules.InRange("row_tokens", spec.RowTokens, 1, Limits.TrainRowTokens);
        LoadSpecRules.InRange("rows_per_pass", spec.RowsPerPass, 1, Limits.TrainRows);
        if (spec.Method == TrainMethod.Lora != spec.Adapter is not null)
            throw Invalid("An adapter goes with the method lora, and with no other.");
        if (spec.Adapter is { } adapter)
            Check(adapter);
        Check(spec.Optimizer);
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: not finite, or negative.</exception>
    public static void RequireRate(double learningRate)
    {
        if (!double.IsFinite(learningRate) || learningRate < 0)
            throw Invalid($"The learning rate {learningRate} is no number from 0 on.");
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>.</exception>
    public static void RequirePath(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal) || !Path.IsPathFullyQualified(path))
            throw Invalid($"The path '{path}' is not absolute.");
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>.</exception>
    public static void RequireContinuation(
        IReadOnlyList<int> prompt,
        int maxTokens,
        IReadOnlyList<int> stops,
        int vocabulary
    )
    {
        LoadSpecRules.InRange("max_tokens", maxTokens, 1, Limits.TrainRowTokens);
        LoadSpecRules.InRange("prompt tokens", prompt.Count, 1, Limits.TrainRowTokens);
        LoadSpecRules.InRange("stops", stops.Count, 0, Limits.TrainStops);
        if (prompt.Concat(stops).Any(id => id < 0 || id >= vocabulary))
            throw Invalid($"A token is not in 0..{vocabulary - 1}.");
    }

    private static void Check(AdapterShape adapter)
    {
        LoadSpecRules.InRange("rank", adapter.Rank, 1, Limits.TrainRank);
        Positive("alpha", adapter.Alpha);
        var known = adapter.Targets.Where(target => AdapterTargets.Usual.Contains(target, StringComparer.Ordinal));
        if (adapter.Targets.Count == 0 || known.Distinct(StringComparer.Ordinal).Count() != adapter.Targets.Count)
            throw Invalid(
                $"The targets are not one or more, each once, of: {string.Join(", ", AdapterTargets.Usual)}."
            );
    }

    private static void Check(AdamSettings optimizer)
    {
        Share("beta1", optimizer.Beta1);
        Share("beta2", optimizer.Beta2);
        Positive("epsilon", optimizer.Epsilon);
        NotNegative("weight_decay", optimizer.WeightDecay);
        NotNegative("clip_norm", optimizer.ClipNorm);
    }

    private static void Share(string name, double value)
    {
        if (value is not (>= 0 and < 1))
            throw Invalid($"{name} {value} is not in 0..1, without 1.");
    }

    private static void Positive(string name, double value)
    {
        if (!double.IsFinite(value) || value <= 0)
            throw Invalid($"{name} {value} is no number over 0.");
    }

    private static void NotNegative(string name, double value)
    {
        if (!double.IsFinite(value) || value < 0)
            throw Invalid($"{name} {value} is no number from 0 on.");
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
