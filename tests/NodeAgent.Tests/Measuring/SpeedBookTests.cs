using EgpuFleet.Kernels.Measuring;
using EgpuFleet.NodeAgent.Measuring;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Measuring;

public sealed class SpeedBookTests : IDisposable
{
    private readonly TempFolder folder = new();

    private string File => folder.At("speed.json");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_kept_is_there_after_a_restart_and_only_for_its_subject()
    {
        var book = new SpeedBook(File);
        book.Keep("llama.cpp 1", Speed(WeightKind.Q8));
        book.Keep("llama.cpp 1", Speed(WeightKind.Q4));

        var again = new SpeedBook(File);

        Assert.Equal([WeightKind.Q4, WeightKind.Q8], again.KindsOf("llama.cpp 1"));
        Assert.Equal([0.25, 0.25], again.Now.Select(speed => speed.PerByte));
        Assert.Empty(again.KindsOf("llama.cpp 2"));
        again.Keep("llama.cpp 2", Speed(WeightKind.F16));
        Assert.Equal([WeightKind.F16], new SpeedBook(File).KindsOf("llama.cpp 2"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"subject\":\"a\"}")]
    [InlineData("{\"subject\":\"a\",\"speeds\":[{\"kind\":77}]}")]
    [InlineData("{\"subject\":\"a\",\"speeds\":[null]}")]
    public void A_file_that_is_not_ours_counts_as_none(string text)
    {
        System.IO.File.WriteAllText(File, text);

        Assert.Empty(new SpeedBook(File).Now);
    }

    private static DeviceSpeed Speed(WeightKind kind) => new(kind, 0, 0, 0.25, 0, 0, 0.5, 1, 0);
}
