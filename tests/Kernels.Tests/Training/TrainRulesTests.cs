using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tests.Training;

public sealed class TrainRulesTests
{
    private static readonly AdapterShape Adapter = new(8, 16, AdapterTargets.Usual);

    private static readonly TrainSpec Good = new(
        AppContext.BaseDirectory,
        new string('a', 64),
        Threads: 1,
        TrainMethod.Lora,
        Adapter,
        RowTokens: 64,
        RowsPerPass: 2,
        new AdamSettings(),
        Seed: 1
    );

    public static TheoryData<TrainSpec> Bad =>
        [
            Good with
            {
                Path = "model.gguf",
            },
            Good with
            {
                Path = "/a\0b",
            },
            Good with
            {
                Path = Path.Combine(AppContext.BaseDirectory, "nothing"),
            },
            Good with
            {
                ContentHash = "AA",
            },
            Good with
            {
                Threads = 0,
            },
            Good with
            {
                RowTokens = 0,
            },
            Good with
            {
                RowTokens = int.MaxValue,
            },
            Good with
            {
                RowsPerPass = 0,
            },
            Good with
            {
                Adapter = null,
            },
            Good with
            {
                Method = TrainMethod.Full,
            },
            Good with
            {
                Adapter = Adapter with { Rank = 0 },
            },
            Good with
            {
                Adapter = Adapter with { Rank = 513 },
            },
            Good with
            {
                Adapter = Adapter with { Alpha = double.NaN },
            },
            Good with
            {
                Adapter = Adapter with { Targets = [] },
            },
            Good with
            {
                Adapter = Adapter with { Targets = ["attn_q", "attn_q"] },
            },
            Good with
            {
                Adapter = Adapter with { Targets = ["output"] },
            },
            Good with
            {
                Optimizer = new AdamSettings(Beta1: 1),
            },
            Good with
            {
                Optimizer = new AdamSettings(Beta2: double.NaN),
            },
            Good with
            {
                Optimizer = new AdamSettings(Epsilon: 0),
            },
            Good with
            {
                Optimizer = new AdamSettings(WeightDecay: double.PositiveInfinity),
            },
            Good with
            {
                Optimizer = new AdamSettings(ClipNorm: -1),
            },
        ];

    [Fact]
    public void A_good_spec_passes() => TrainRules.Check(Good);

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_cannot_be_meant_is_refused(TrainSpec spec) => Refused(() => TrainRules.Check(spec));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1e-9)]
    public void A_rate_is_a_number_from_zero_on(double rate)
    {
        TrainRules.RequireRate(0);
        Refused(() => TrainRules.RequireRate(rate));
    }

    [Fact]
    public void A_continuation_has_a_prompt_of_the_vocabulary()
    {
        TrainRules.RequireContinuation([1, 2], 5, [3], vocabulary: 4);
        Refused(() => TrainRules.RequireContinuation([], 5, [], 4));
        Refused(() => TrainRules.RequireContinuation([4], 5, [], 4));
        Refused(() => TrainRules.RequireContinuation([1], 0, [], 4));
        Refused(() => TrainRules.RequireContinuation([1], 5, [-1], 4));
        Refused(() => TrainRules.RequireContinuation([1], 5, new int[Limits.TrainStops + 1], 4));
    }

    private static void Refused(Action act) =>
        Assert.Equal(EngineErrorClass.InvalidRequest, Assert.Throws<EngineException>(act).ErrorClass);
}
