using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Tinygrad;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>A worker computes on the device that it was told, or on none.</summary>
public sealed class DeviceChoiceTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(WorkerProcess.LlamaCpp, LlamaCppSettings.DeviceVariable, "vulkan", "vulkan")]
    [InlineData(WorkerProcess.LlamaCpp, LlamaCppSettings.DeviceVariable, LlamaCppSettings.Metal, "no GPU here")]
    [InlineData(TinygradWorker.Name, TinygradSettings.DeviceVariable, "KFD:0+AMD", "/dev/kfd")]
    public async Task A_device_that_is_not_there_is_never_replaced_by_the_processor(
        string executable,
        string variable,
        string device,
        string said
    )
    {
        Assert.SkipWhen(
            OperatingSystem.IsMacOS() && device == LlamaCppSettings.Metal,
            "This machine may have the GPU that the test takes to be missing."
        );
        if (executable == TinygradWorker.Name)
            TinygradWorker.Require();
        await using var worker = WorkerProcess.Start(
            adjust: start => start.Environment[variable] = device,
            worker: executable
        );
        await using var client = await worker.ConnectAsync(Token);

        var refused = await Assert.ThrowsAsync<EngineException>(() => client.ProbeAsync(Token));

        Assert.Equal(EngineErrorClass.EngineUnavailable, refused.ErrorClass);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }
}
