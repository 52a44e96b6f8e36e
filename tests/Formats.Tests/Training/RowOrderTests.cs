using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Formats.Tests.Training;

public sealed class RowOrderTests
{
    /// <summary>What a checkpoint of an earlier release resumes with: an order that changed would repeat and lose samples.</summary>
    [Theory]
    [InlineData(0UL, 0, new[] { 2, 4, 9, 0, 6, 3, 7, 8, 1, 5 })]
    [InlineData(0UL, 1, new[] { 4, 1, 3, 9, 7, 5, 0, 6, 8, 2 })]
    [InlineData(42UL, 3, new[] { 2, 4, 9, 6, 0, 5, 3, 8, 7, 1 })]
    [InlineData(ulong.MaxValue, 7, new[] { 1, 3, 8, 2, 4, 7, 5, 0, 9, 6 })]
    public void The_order_of_a_seed_and_an_epoch_never_changes(ulong seed, int epoch, int[] order) =>
        Assert.Equal(order, SampleOrder.Permutation(seed, epoch, order.Length));

    [Fact]
    public void Every_order_of_four_is_about_equally_frequent()
    {
        var counts = Enumerable
            .Range(0, 24_000)
            .CountBy(epoch => string.Join(',', SampleOrder.Permutation(7, epoch, 4)))
            .ToDictionary();
        Assert.Equal(24, counts.Count);
        // A thousand each; five standard deviations are 155.
        Assert.All(counts.Values, count => Assert.InRange(count, 845, 1155));
    }

    [Theory]
    [InlineData(1, 64, 1)]
    [InlineData(63, 64, 1)]
    [InlineData(127, 64, 1)]
    [InlineData(128, 64, 2)]
    [InlineData(1000, 64, 15)]
    [InlineData(1_000_000, 64, 15_625)]
    public void Microshards_cover_all_samples_in_even_parts(int samples, int atLeast, int count)
    {
        Assert.Equal(count, Microshards.Count(samples, atLeast));
        var parts = Enumerable.Range(0, count).Select(number => Microshards.Of(samples, count, number)).ToArray();
        Assert.Equal((0, samples), (parts[0].Start, parts[^1].End));
        Assert.All(parts.Zip(parts.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
        Assert.True(parts.Max(part => part.Samples) - parts.Min(part => part.Samples) <= 1);
        if (samples >= atLeast)
            Assert.All(parts, part => Assert.InRange(part.Samples, atLeast, (2 * atLeast) - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Microshards.Of(samples, count, count));
    }

    [Fact]
    public void An_epoch_has_every_sample_once_and_another_epoch_another_order()
    {
        var order = Order(200);
        var epochs = Enumerable
            .Range(0, 3)
            .Select(epoch => Enumerable.Range(0, order.Microshards).SelectMany(part => order.SamplesOf(epoch, part)))
            .Select(indices => indices.ToArray())
            .ToArray();
        Assert.All(epochs, indices => Assert.Equal(Enumerable.Range(0, 200), indices.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
    }

    [Fact]
    public void A_run_goes_on_from_any_cursor_as_if_it_had_not_stopped()
    {
        var whole = Order(150).From(default, 2).ToArray();
        Assert.Equal(whole.Length, Order(150).CountRows(0) + Order(150).CountRows(1));
        for (var used = 1; used <= whole.Length; used++)
        {
            // An order of its own, as after a restart.
            var rest = Order(150).From(whole[used - 1].Next, 2).ToArray();
            Assert.Equal(whole.Length - used, rest.Length);
            Assert.All(
                rest.Zip(whole.Skip(used)),
                pair =>
                {
                    Assert.Equal(pair.Second.Row.Inputs, pair.First.Row.Inputs);
                    Assert.Equal(pair.Second.Row.Segments, pair.First.Row.Segments);
                    Assert.Equal(pair.Second.Next, pair.First.Next);
                }
            );
        }
        Assert.Equal(new DataCursor(2, 0, 0), whole[^1].Next);
    }

    [Fact]
    public void Microshards_taken_by_many_make_the_rows_that_one_would_see()
    {
        var order = Order(150);
        var leased = Enumerable.Range(0, order.Microshards).SelectMany(part => order.Rows(1, part));
        var alone = order.From(new DataCursor(1, 0, 0), 2).Select(placed => placed.Row);
        Assert.Equal(alone.Select(row => row.Inputs), leased.Select(row => row.Inputs));
    }

    /// <summary>Samples of 2 to 8 tokens, each token the sample's own number.</summary>
    private static RowOrder Order(int samples) =>
        new(
            [
                .. Enumerable
                    .Range(0, samples)
                    .Select(index => (Index: index, Length: 2 + (index * 5 % 7)))
                    .Select(sample => new TokenSample(
                        [.. Enumerable.Repeat(sample.Index, sample.Length)],
                        [.. Enumerable.Repeat((byte)1, sample.Length)]
                    )),
            ],
            seed: 11,
            rowTokens: 16,
            microshardSamples: 20
        );
}
