using CsCheck;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Sampling;

namespace EgpuFleet.Kernels.Tests.Sampling;

public sealed class TokenSamplerTests
{
    private static readonly Gen<float[]> Logits = Gen.Single[-8, 8].Array[2, 60];

    [Fact]
    public void Temperature_0_takes_the_lowest_id_of_the_most_likely()
    {
        float[] logits = [1, 3, -2, 3, 3];
        Assert.Equal(1, new TokenSampler(5).Sample(logits, new GenerationOptions(), 0));
    }

    [Fact]
    public void A_draw_is_what_sorting_everything_and_walking_the_sum_gives() =>
        Gen.Select(Logits, Gen.Double[0.1, 2], Gen.Double[0.01, 1], Gen.Int[0, 70], Gen.ULong)
            .Sample(
                (logits, temperature, topP, topK, seed) =>
                {
                    var options = new GenerationOptions(null, temperature, topP, topK, seed);
                    var token = new TokenSampler(logits.Length).Sample(logits, options, 7);
                    Assert.Contains(token, Nucleus(logits, options));
                }
            );

    [Fact]
    public void Frequencies_follow_the_probabilities()
    {
        float[] logits = [0, MathF.Log(2), MathF.Log(5)];
        var sampler = new TokenSampler(logits.Length);
        var options = new GenerationOptions(Temperature: 1, Seed: 42);
        const int Draws = 20_000;
        var counts = new int[3];
        for (var index = 0; index < Draws; index++)
            counts[sampler.Sample(logits, options, index)]++;
        // Five standard deviations of a binomial; the draws are fixed by the seed.
        double[] expected = [1 / 8.0, 2 / 8.0, 5 / 8.0];
        for (var token = 0; token < 3; token++)
        {
            var deviation = Math.Sqrt(Draws * expected[token] * (1 - expected[token]));
            Assert.InRange(
                counts[token],
                (Draws * expected[token]) - (5 * deviation),
                (Draws * expected[token]) + (5 * deviation)
            );
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity)]
    public void A_model_that_computes_no_numbers_is_an_error(float logit)
    {
        var exception = Assert.Throws<EngineException>(() =>
            new TokenSampler(2).Sample([logit, logit], new GenerationOptions(Temperature: 1), 0)
        );
        Assert.Equal(EngineErrorClass.Internal, exception.ErrorClass);
    }

    /// <summary>The tokens that may be drawn, by the definition; a hair more than the share for rounding.</summary>
    private static List<int> Nucleus(float[] logits, GenerationOptions options)
    {
        var highest = logits.Max();
        var sorted = Enumerable
            .Range(0, logits.Length)
            .OrderByDescending(token => logits[token])
            .ThenBy(token => token)
            .Take(options.TopK > 0 ? options.TopK : logits.Length)
            // Different logits may have the same weight.
            .OrderByDescending(Weight)
            .ThenBy(token => token)
            .ToList();
        var weights = sorted.ConvertAll(Weight);
        var wanted = weights.Sum() * (options.TopP + 1e-9);
        var count = 0;
        for (var sum = 0.0; count < sorted.Count && sum < wanted; count++)
            sum += weights[count];
        return sorted[..count];

        double Weight(int token) => Math.Exp(((double)logits[token] - highest) / options.Temperature);
    }
}
