using CsCheck;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tests.Protocol;

public sealed class TrainBatchCodecTests
{
    private const int Vocabulary = 100;

    private static TrainBatch Small { get; } = new(2, 3, [1, 2, 3, 4, 5, 6], [2, 3, -1, 5, 6, -1], [0, 0, 1, 0, 0, 0]);

    [Fact]
    public void A_batch_survives_its_bytes() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 40], Gen.Int)
            .Sample(
                (rows, rowTokens, seed) =>
                {
                    var random = new Random(seed);
                    int[] Ids() => [.. Enumerable.Range(0, rows * rowTokens).Select(_ => random.Next() - (1 << 30))];
                    var batch = new TrainBatch(rows, rowTokens, Ids(), Ids(), Ids());
                    var read = TrainBatchCodec.Decode(rows, rowTokens, TrainBatchCodec.Encode(batch));
                    Assert.Equal(batch.Inputs, read.Inputs);
                    Assert.Equal(batch.Targets, read.Targets);
                    Assert.Equal(batch.Segments, read.Segments);
                }
            );

    [Theory]
    [InlineData(2, 3, 71)]
    [InlineData(2, 3, 76)]
    [InlineData(3, 3, 72)]
    [InlineData(0, 3, 0)]
    [InlineData(-2, -3, 72)]
    [InlineData(int.MaxValue, int.MaxValue, 72)]
    [InlineData(1 << 30, 4, 72)]
    public void A_body_of_another_size_than_announced_is_refused(int rows, int rowTokens, int bytes) =>
        Refused(() => TrainBatchCodec.Decode(rows, rowTokens, new byte[bytes]));

    [Fact]
    public void Arrays_of_different_lengths_are_not_sent() =>
        Refused(() => TrainBatchCodec.Encode(Small with { Inputs = [1, 2, 3, 4, 5, 6, 7] }));

    public static TheoryData<int[], int[], int[]> Wrong =>
        new()
        {
            { [1, 2, 100, 4, 5, 6], Small.Targets, Small.Segments },
            { [1, 2, -1, 4, 5, 6], Small.Targets, Small.Segments },
            { Small.Inputs, [2, 3, -2, 5, 6, -1], Small.Segments },
            { Small.Inputs, [2, 3, 100, 5, 6, -1], Small.Segments },
            { Small.Inputs, [-1, -1, -1, -1, -1, -1], Small.Segments },
            { Small.Inputs, Small.Targets, [0, 1, 0, 0, 0, 0] },
            { Small.Inputs, Small.Targets, [-1, 0, 0, 0, 0, 0] },
        };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Ids_and_segments_that_mean_nothing_are_refused(int[] inputs, int[] targets, int[] segments)
    {
        Small.Require(3, Vocabulary);
        Refused(() => new TrainBatch(2, 3, inputs, targets, segments).Require(3, Vocabulary));
    }

    private static void Refused(Action act) =>
        Assert.Equal(EngineErrorClass.InvalidRequest, Assert.Throws<EngineException>(act).ErrorClass);
}
