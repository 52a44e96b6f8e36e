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
        var rows = RowPacking.Pack(samples, 4, padToken: 99);
        Assert.Equal(2, rows.Count);
        Assert.Equal([10, 20, 21, 22], rows[0].Inputs);
        Assert.Equal([11, -1, 22, 23], rows[0].Targets);
        Assert.Equal([0, 1, 1, 1], rows[0].Segments);
        Assert.Equal([30, 31, 99, 99], rows[1].Inputs);
        Assert.Equal([31, 32, -1, -1], rows[1].Targets);
        Assert.Equal([0, 0, 1, 1], rows[1].Segments);
        Assert.Equal(3 + 2, rows.Sum(row => row.TrainedTokens));
        Assert.Equal(5, samples.Sum(sample => sample.TrainedTokens));
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
