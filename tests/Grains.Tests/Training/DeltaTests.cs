using CsCheck;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Grains.Tests.Training;

/// <summary>How differences are written, judged, and what data they belong to.</summary>
public sealed class DeltaTests
{
    private static readonly Gen<float[]> Row = Gen.Float[-0.01f, 0.01f].Array[1, 200];

    [Fact]
    public void What_halves_lose_is_kept_for_the_next_time() =>
        Row.Sample(row =>
        {
            var (lost, bytes, read) = (new float[row.Length], new byte[2 * row.Length], new float[row.Length]);
            DeltaCodec.EncodeHalves(row, lost, bytes);
            DeltaCodec.DecodeHalves(bytes, read);
            for (var i = 0; i < row.Length; i++)
            {
                Assert.Equal(row[i], read[i] + lost[i]);
                Assert.True(Math.Abs(lost[i]) <= Math.Abs(row[i]) / 2048 + 3e-8f);
            }
        });

    [Fact]
    public void Bytes_are_right_to_half_a_step_and_over_many_rounds_nothing_is_lost() =>
        Row.Sample(row =>
        {
            const int Rounds = 20;
            var (lost, bytes, read) = (new float[row.Length], new byte[row.Length], new float[row.Length]);
            var sum = new double[row.Length];
            var scale = 0f;
            for (var round = 0; round < Rounds; round++)
            {
                scale = DeltaCodec.EncodeRow(row, lost, bytes);
                DeltaCodec.DecodeRow(bytes, scale, read);
                for (var i = 0; i < row.Length; i++)
                    sum[i] += read[i];
            }
            for (var i = 0; i < row.Length; i++)
                Assert.Equal(Rounds * (double)row[i], sum[i], (0.51 * scale) + 1e-6);
        });

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_no_number_is_none_in_any_encoding_and_is_forgotten_after(float bad)
    {
        float[] row = [0.5f, bad, -0.25f];
        var (lost, halves, bytes, read) = (new float[3], new byte[6], new byte[3], new float[3]);
        DeltaCodec.EncodeHalves(row, lost, halves);
        DeltaCodec.DecodeHalves(halves, read);
        Assert.False(float.IsFinite(read[1]));
        DeltaCodec.DecodeRow(bytes, DeltaCodec.EncodeRow(row, lost, bytes), read);
        Assert.All(read, value => Assert.False(float.IsFinite(value)));
        Assert.All(lost, value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void A_row_of_zeros_stays_one()
    {
        var read = new float[2];
        var bytes = new byte[2];
        DeltaCodec.DecodeRow(bytes, DeltaCodec.EncodeRow([0, 0], new float[2], bytes), read);
        Assert.Equal([0, 0], read);
    }

    [Fact]
    public void What_is_no_number_or_far_from_the_others_is_dropped()
    {
        Assert.Equal(
            [null, null, DropReason.TooLarge, DropReason.NotFinite, DropReason.Damaged, null],
            DeltaJudgement.Judge([1, 1.2, 6.1, double.NaN, null, 0])
        );
        Assert.Equal([null, null], DeltaJudgement.Judge([1, 1000]));
        Assert.Equal([null], DeltaJudgement.Judge([0]));
        Assert.Empty(DeltaJudgement.Judge([]));
    }

    [Fact]
    public void The_norm_is_over_all_blocks()
    {
        var norm = new DeltaNorm();
        norm.Add([3]);
        norm.Add([4, 12]);
        Assert.Equal(13, norm.Value);
        norm.Add([float.NaN]);
        Assert.False(double.IsFinite(norm.Value));
    }

    [Fact]
    public void Every_sample_of_an_epoch_is_in_one_microshard()
    {
        Gen.Select(Gen.Int[1, 2000], Gen.Int[1, 256], Gen.Int[1, 3])
            .Sample(
                (samples, size, epochs) =>
                {
                    var cut = new Microshards(samples, size, epochs);
                    var all = Enumerable.Range(0, cut.Count).Select(cut.Of).ToArray();
                    for (var epoch = 0; epoch < epochs; epoch++)
                    {
                        var places = all.Where(one => one.Epoch == epoch)
                            .SelectMany(one => Enumerable.Range(0, samples).Take(one.Samples));
                        Assert.Equal(Enumerable.Range(0, samples), places);
                    }
                }
            );
        Assert.Throws<ArgumentOutOfRangeException>(() => new Microshards(10, 4, 1).Of(3));
    }
}
