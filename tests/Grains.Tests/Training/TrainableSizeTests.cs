using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Tests.Training;

public sealed class TrainableSizeTests
{
    private const long GB = 1_000_000_000;

    [Theory]
    [InlineData(8, 10)]
    [InlineData(16, 22)]
    [InlineData(24, 35)]
    [InlineData(80, 124)]
    public void Four_bits_and_an_adapter_leave_room_for_so_many_billions(long gigabytes, long billions)
    {
        var size = Of(gigabytes * GB);

        Assert.Equal(billions, size.Parameters / GB);
        Assert.InRange(size.MemoryBytes, 1, gigabytes * GB);
    }

    /// <summary>32 layers and a width of 4,096 are Llama 3 8B: 8.03 billion weights.</summary>
    [Fact]
    public void The_shape_is_that_of_a_published_model()
    {
        var size = Of(6_400_000_000);

        Assert.Equal((32, 8_029_995_008), (size.Layers, size.Parameters));
    }

    [Fact]
    public void More_memory_fits_more_and_longer_rows_wider_weights_and_higher_ranks_fit_less()
    {
        var usual = Of(24 * GB);

        Assert.True(Of(32 * GB).Parameters > usual.Parameters);
        Assert.True(Of(24 * GB, bits: 16).Parameters < usual.Parameters);
        Assert.True(Of(24 * GB, rank: 256).Parameters < usual.Parameters);
        Assert.True(Of(24 * GB, tokens: 8192).Parameters < usual.Parameters);
        Assert.Equal(new TrainableSize(0, 0, 0), Of(100_000_000));
    }

    [Fact]
    public void What_keeps_more_fits_less()
    {
        var (frozen, kept) = (Of(24 * GB), Of(24 * GB, engine: "torch"));
        var whole = TrainableSize.Largest(24 * GB, 32, new TrainingWay(TrainingMethod.Full, "torch", 0, 512, 1));

        Assert.True(frozen.Parameters > kept.Parameters);
        Assert.True(kept.Parameters > whole.Parameters);
        Assert.InRange(whole.Parameters, 1, 24 * GB / TrainingMemory.BytesPerTrainedWeight);
    }

    private static TrainableSize Of(
        long bytes,
        double bits = TrainableSize.FourBits,
        int rank = 16,
        int tokens = 512,
        string engine = "tinygrad"
    ) => TrainableSize.Largest(bytes, bits, new TrainingWay(TrainingMethod.Lora, engine, rank, tokens, 1));
}
