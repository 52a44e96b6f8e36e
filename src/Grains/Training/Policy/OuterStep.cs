namespace EgpuFleet.Grains.Training.Policy;

/// <summary>The outer optimizer of a run; see <see cref="OuterStep"/>.</summary>
/// <param name="Rate">1 with no momentum is the mean of the members; OpenDiLoCo's are 0.7 and 0.9.</param>
public sealed record OuterRates(double Rate = 1, double Momentum = 0);

/// <summary>
/// One step of the outer optimizer, a block of values after the other: g = Σ n·delta / Σ n over the contributions,
/// v = momentum·v + g, theta −= rate·(g + momentum·v). The sum is one of 64-bit floats in the order of the members, so that
/// it does not depend on who came first.
/// </summary>
/// <param name="tokens">Weight of each contribution, in the order of the members.</param>
/// <param name="blockValues">Most values of a block: bounds the memory.</param>
public sealed class OuterStep(OuterRates rates, IReadOnlyList<long> tokens, int blockValues)
{
    private readonly double[] sum = new double[blockValues];
    private readonly double all = tokens.Sum(one => (double)one);
    private readonly float[] means = new float[blockValues];
    private int length;
    private int added;

    /// <summary>The mean difference of the block that was applied last.</summary>
    public ReadOnlySpan<float> Mean => means.AsSpan(0, length);

    /// <summary>Begins a block.</summary>
    public void Begin(int values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values, sum.Length);
        (length, added) = (values, 0);
        Array.Clear(sum, 0, values);
    }

    /// <summary>The same block of the next contribution, decoded.</summary>
    public void Add(ReadOnlySpan<float> delta)
    {
        if (delta.Length != length || added == tokens.Count)
            throw new InvalidOperationException("Each contribution has each block once.");
        var weight = (double)tokens[added++];
        for (var i = 0; i < delta.Length; i++)
            sum[i] += weight * delta[i];
    }

    /// <summary>Changes weights and velocity of the block, once all have been added.</summary>
    public void Apply(Span<float> theta, Span<float> velocity)
    {
        if (theta.Length != length || velocity.Length != length || added != tokens.Count)
            throw new InvalidOperationException($"{added} of {tokens.Count} contributions have been added.");
        for (var i = 0; i < theta.Length; i++)
        {
            var mean = sum[i] / all;
            var speed = (rates.Momentum * velocity[i]) + mean;
            means[i] = (float)mean;
            velocity[i] = (float)speed;
            theta[i] = (float)(theta[i] - (rates.Rate * (mean + (rates.Momentum * speed))));
        }
    }
}
