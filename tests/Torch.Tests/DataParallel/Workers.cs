using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;
using EgpuFleet.Torch.Tests.Sessions;

namespace EgpuFleet.Torch.Tests.DataParallel;

/// <summary>As many worker processes, each with one session on one thread.</summary>
internal sealed class Workers : IAsyncDisposable
{
    private readonly List<WorkerProcess> processes = [];
    private readonly List<WorkerClient> clients = [];
    private readonly List<ITrainingSession> sessions = [];

    public IReadOnlyList<ITrainingSession> Sessions => sessions;

    public static async Task<Workers> StartAsync(int count, TrainSpec spec, CancellationToken cancellationToken)
    {
        var workers = new Workers();
        for (var i = 0; i < count; i++)
        {
            var process = WorkerProcess.Start(worker: TorchWorker.Program);
            workers.processes.Add(process);
            var client = await process.ConnectAsync(cancellationToken);
            workers.clients.Add(client);
            workers.sessions.Add(await client.OpenTrainingAsync(spec, cancellationToken));
        }
        return workers;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
            await client.DisposeAsync();
        foreach (var process in processes)
            await process.DisposeAsync();
    }
}
