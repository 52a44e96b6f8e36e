namespace EgpuFleet.Kernels.Measuring;

/// <summary>One shape, timed.</summary>
/// <param name="PromptTokens">Length of the prompt that was timed.</param>
/// <param name="PromptSeconds">From the request to its first token; median.</param>
/// <param name="TokenSeconds">Between two tokens of one sequence; median.</param>
/// <param name="BatchTokensPerSecond">Of <see cref="SpeedProbe.Batch"/> sequences together.</param>
/// <param name="LoadSeconds">To load the file; the system had it in memory.</param>
public sealed record SpeedSample(
    ProbeShape Shape,
    int PromptTokens,
    double PromptSeconds,
    double TokenSeconds,
    double BatchTokensPerSecond,
    double LoadSeconds
);

/// <summary>What a device does with weights of one kind: costs that add up to the time of a request. None is negative.</summary>
/// <param name="StepSeconds">Of a decoded token, whatever the model: sampling, messages.</param>
/// <param name="BlockSeconds">Of each transformer block for one token: starting its kernels.</param>
/// <param name="SecondsPerByte">Of each byte of weights read for one token: one over the effective bandwidth.</param>
/// <param name="PromptSeconds">Of a prompt, whatever its length.</param>
/// <param name="PromptBlockSeconds">Of each transformer block for a prompt.</param>
/// <param name="SecondsPerFlop">Of each multiplication or addition of a prompt: one over the effective rate.</param>
/// <param name="BatchGain">Tokens of <see cref="SpeedProbe.Batch"/> sequences together over those of one; at least 1.</param>
/// <param name="LoadSecondsPerByte">To load weights that are on disk.</param>
public sealed record DeviceSpeed(
    WeightKind Kind,
    double StepSeconds,
    double BlockSeconds,
    double SecondsPerByte,
    double PromptSeconds,
    double PromptBlockSeconds,
    double SecondsPerFlop,
    double BatchGain,
    double LoadSecondsPerByte
)
{
    /// <summary>The costs that come closest to what was timed.</summary>
    /// <param name="samples">Of one kind of weights; at least three, as <see cref="ProbeShape.Quick"/> names them.</param>
    public static DeviceSpeed Of(IReadOnlyList<SpeedSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples.Count, 3, nameof(samples));
        var decode = NonNegativeFit.Solve(
            [.. samples.Select(sample => new[] { 1.0, sample.Shape.Blocks, sample.Shape.ActiveBytes })],
            [.. samples.Select(sample => sample.TokenSeconds)]
        );
        var prompt = NonNegativeFit.Solve(
            [
                .. samples.Select(sample =>
                    new[] { 1.0, sample.Shape.Blocks, sample.Shape.FlopsPerToken * sample.PromptTokens }
                ),
            ],
            [.. samples.Select(sample => sample.PromptSeconds)]
        );
        var largest = samples.MaxBy(sample => sample.Shape.ActiveBytes)!;
        return new DeviceSpeed(
            samples[0].Shape.Kind,
            decode[0],
            decode[1],
            decode[2],
            prompt[0],
            prompt[1],
            prompt[2],
            // The largest shape is the one most like a real model.
            Math.Max(1, largest.BatchTokensPerSecond * largest.TokenSeconds),
            largest.LoadSeconds / largest.Shape.ActiveBytes
        );
    }
}
