using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>One worker with the reference model for all tests of a class.</summary>
public sealed class StoriesWorker : IAsyncLifetime
{
    private WorkerProcess? worker;

    internal WorkerClient Client { get; private set; } = null!;

    internal ModelInfo Model { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _ = Stories.ModelPath;
        worker = WorkerProcess.Start();
        Client = await worker.ConnectAsync(TestContext.Current.CancellationToken);
        Model = await Client.LoadStoriesAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is not null)
            await Client.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
    }
}
