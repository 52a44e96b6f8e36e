using CsCheck;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Grains.Tests.Training;

public sealed class OuterStepTests
{
    private static readonly Gen<float> Value = Gen.Float[-1, 1];

    [Fact]
    public void It_is_Nesterov_over_the_mean_by_tokens()
    {
        float[] theta = [1, -2];
        float[] velocity = [0.5f, 0];
        var step = new OuterStep(new OuterRates(0.5, 0.8), [1, 3], 4);
        step.Begin(2);
        step.Add([0.4f, 0]);
        step.Add([0, 0.8f]);
        step.Apply(theta, velocity);

        // g = (0.1, 0.6); v = 0.8·(0.5, 0) + g = (0.5, 0.6); theta - 0.5·(g + 0.8·v)
        Assert.Equal([0.5f, 0.6f], velocity);
        Assert.Equal(1 - (0.5 * (0.1 + 0.4)), theta[0], 1e-6);
        Assert.Equal(-2 - (0.5 * (0.6 + 0.48)), theta[1], 1e-6);
    }

    [Fact]
    public void One_member_at_rate_one_without_momentum_is_where_it_went() =>
        Gen.Select(Value.Array[100], Value.Array[100])
            .Sample(
                (from, to) =>
                {
                    var theta = from.ToArray();
                    var step = new OuterStep(new OuterRates(1, 0), [77], 100);
                    step.Begin(100);
                    step.Add([.. from.Zip(to, (a, b) => a - b)]);
                    step.Apply(theta, new float[100]);
                    for (var i = 0; i < 100; i++)
                        Assert.Equal(to[i], theta[i], 1e-7 * (1 + Math.Abs(from[i])));
                }
            );

    [Fact]
    public void How_the_values_are_cut_into_blocks_changes_no_bit() =>
        Gen.Select(Value.Array[60], Value.Array[60], Value.Array[60], Gen.Int[1, 60])
            .Sample(
                (theta, one, two, block) => Assert.Equal(Step(theta, [one, two], 60), Step(theta, [one, two], block))
            );

    [Fact]
    public void A_contribution_is_neither_left_out_nor_counted_twice()
    {
        var step = new OuterStep(new OuterRates(), [1, 1], 8);
        step.Begin(1);
        step.Add([1]);
        Assert.Throws<InvalidOperationException>(() => step.Apply(new float[1], new float[1]));
        step.Add([1]);
        Assert.Throws<InvalidOperationException>(() => step.Add([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => step.Begin(9));
    }

    private static float[] Step(float[] start, float[][] deltas, int block)
    {
        var (theta, velocity) = (start.ToArray(), start.ToArray());
        var step = new OuterStep(new OuterRates(0.7, 0.9), [3, 5], block);
        for (var at = 0; at < theta.Length; at += block)
        {
            var length = Math.Min(block, theta.Length - at);
            step.Begin(length);
            foreach (var delta in deltas)
                step.Add(delta.AsSpan(at, length));
            step.Apply(theta.AsSpan(at, length), velocity.AsSpan(at, length));
        }
        return [.. theta, .. velocity];
    }
}
