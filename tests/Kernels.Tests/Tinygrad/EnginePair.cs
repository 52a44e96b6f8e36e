using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>A worker of each engine on the processor, without a model, for all tests of a class.</summary>
public sealed class EnginePair : IAsyncLifetime
{
    private readonly List<WorkerProcess> workers = [];
    private readonly List<WorkerClient> clients = [];

    /// <summary>Asking for it skips the test where there is no tinygrad.</summary>
    internal WorkerClient Tinygrad => Had(0);

    internal WorkerClient Llama => Had(1);

    public async ValueTask InitializeAsync()
    {
        if (TinygradWorker.IsMissing)
            return;
        foreach (var name in new[] { TinygradWorker.Name, WorkerProcess.LlamaCpp })
        {
            var worker = WorkerProcess.Start(worker: name);
            workers.Add(worker);
            clients.Add(await worker.ConnectAsync(TestContext.Current.CancellationToken));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
            await client.DisposeAsync();
        foreach (var worker in workers)
            await worker.DisposeAsync();
    }

    private WorkerClient Had(int place)
    {
        TinygradWorker.Require();
        return clients[place];
    }
}
