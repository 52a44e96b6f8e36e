using CsCheck;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Formats.Tests.Training;

public sealed class RowPackingTests
{
    [Fact]
    public void Rows_hold_whole_samples_with_their_borders_marked()
    {
        TokenSample[] samples =
        [
            new([10, 11], [0, 1]),
            new([20, 21, 22, 23], [1, 0, 1, 1]),
            new([30, 31, 32], [0, 1, 1]),
        ];
        var rows = RowPacking.Pack(samples, 6, padToken: 99);
        Assert.Equal(2, rows.Count);
        Assert.Equal([10, 11, 20, 21, 22, 23], rows[0].Tokens);
        // The first token of a segment is told from nothing, whatever its sample says.
        Assert.Equal<byte>([0, 1, 0, 0, 1, 1], rows[0].LossMask);
        Assert.Equal([1, 1, 2, 2, 2, 2], rows[0].Segments);
        Assert.Equal([0, 1, 0, 1, 2, 3], rows[0].Positions());
        Assert.Equal([30, 31, 32, 99, 99, 99], rows[1].Tokens);
        Assert.Equal<byte>([0, 1, 1, 0, 0, 0], rows[1].LossMask);
        Assert.Equal([1, 1, 1, 0, 0, 0], rows[1].Segments);
        Assert.Equal([0, 1, 2, 0, 0, 0], rows[1].Positions());
    }

    [Fact]
    public void A_batch_lays_its_rows_out_flat()
    {
        var rows = RowPacking.Pack([new([1, 2, 3], [0, 1, 1]), new([4, 5], [0, 1])], 3);
        var batch = TrainingBatch.Of(rows);
        Assert.Equal((2, 3, 3), (batch.Rows, batch.RowTokens, batch.TrainedTokens));
        Assert.Equal([1, 2, 3, 4, 5, 0], batch.Tokens);
        Assert.Equal<byte>([0, 1, 1, 0, 1, 0], batch.LossMask);
        Assert.Equal([1, 1, 1, 1, 1, 0], batch.Segments);
        Assert.Throws<ArgumentException>(() => TrainingBatch.Of([]));
        Assert.Throws<ArgumentException>(() => TrainingBatch.Of([.. rows, .. RowPacking.Pack([new([1], [0])], 2)]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void A_sample_that_fits_no_row_is_refused(int tokens) =>
        Assert.Throws<ArgumentException>(() => RowPacking.Assign([2, tokens], 4));

    [Fact]
    public void Every_sample_is_in_one_row_and_first_fit_keeps_its_bound() =>
        Gen.Select(Gen.Int[1, 32].Array[1, 200], Gen.Int[32, 64])
            .Sample(
                (lengths, rowTokens) =>
                {
                    var rows = RowPacking.Assign(lengths, rowTokens);
                    Assert.Equal(Enumerable.Range(0, lengths.Length), rows.SelectMany(row => row).Order());
                    Assert.All(rows, row => Assert.True(row.Sum(index => lengths[index]) <= rowTokens));
                    Assert.All(rows, row => Assert.Equal(row.Order(), row));
                    Assert.Equal(rows.OrderBy(row => row[0]), rows);
                    // All rows but one are more than half full, or two of them would have been one.
                    Assert.True(rows.Count(row => 2 * row.Sum(index => lengths[index]) <= rowTokens) <= 1);
                },
                iter: 300
            );
}
