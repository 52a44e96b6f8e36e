using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tests.Training;

public sealed class LearningRateTests
{
    [Fact]
    public void The_rate_rises_to_its_peak_and_falls_to_a_twentieth()
    {
        var rate = new LearningRate(1e-3, WarmUpSteps: 10, TotalSteps: 100);
        Assert.Equal(1e-4, rate.At(0), 1e-12);
        Assert.Equal(1e-3, rate.At(9), 1e-12);
        Assert.Equal(1e-3, rate.At(10), 1e-12);
        Assert.All(Enumerable.Range(10, 89), step => Assert.True(rate.At(step + 1) < rate.At(step)));
        Assert.Equal(5e-5, rate.At(100), 1e-12);
        Assert.Equal(5e-5, rate.At(1000), 1e-12);
    }
}
