using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>A worker process of this engine for all tests of a class.</summary>
public sealed class TorchWorker : IAsyncLifetime
{
    public const string Program = "EgpuFleet.Kernels.Torch";

    private WorkerProcess? worker;

    internal WorkerClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        worker = WorkerProcess.Start(worker: Program);
        Client = await worker.ConnectAsync(TestContext.Current.CancellationToken);
    }

    internal Task<WorkerClient> ConnectAsync(CancellationToken cancellationToken) =>
        worker!.ConnectAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
    }
}
