using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>One tinygrad worker on the processor, with the reference model, warm, for all tests of a class.</summary>
public sealed class TinygradWorker : IAsyncLifetime
{
    public const string Executable = "EgpuFleet.Kernels.Tinygrad";

    private WorkerProcess? worker;

    internal WorkerClient Client { get; private set; } = null!;

    internal ModelInfo Model { get; private set; } = null!;

    /// <summary>Skips the test, saying how to let it run, where there is no tinygrad.</summary>
    public static void Require() =>
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable(ChildLaunch.TinygradVariable) is null or "",
            $"{ChildLaunch.TinygradVariable} is not set; check out tinygrad at a9069c177 and set it to that folder"
        );

    public async ValueTask InitializeAsync()
    {
        _ = Stories.ModelPath;
        Require();
        worker = WorkerProcess.Start(worker: Executable);
        Client = await worker.ConnectAsync(TestContext.Current.CancellationToken);
        Model = await Client.LoadStoriesAsync(TestContext.Current.CancellationToken);
        await Client.WarmUpAsync(Stories.Hash, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is not null)
            await Client.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
    }
}
