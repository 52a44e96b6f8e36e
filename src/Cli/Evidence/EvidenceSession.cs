using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Cli.Evidence;

/// <summary>What the steps of one subject share: its worker, and the model that they ask.</summary>
/// <param name="folder">For sockets, logs and models that are written; gone with the run.</param>
internal sealed class EvidenceSession(
    EvidenceSubject subject,
    EvidenceSubject? reference,
    TestModel model,
    string folder,
    EvidenceBudget budget,
    TimeProvider clock
) : IAsyncDisposable
{
    private EvidenceWorker? _worker;

    public EvidenceSubject Subject { get; } = subject;

    /// <summary>What it is compared with; null: it is what others are compared with.</summary>
    public EvidenceSubject? Reference { get; } = reference;

    public TestModel Model { get; } = model;

    public string Folder { get; } = folder;

    public EvidenceBudget Budget { get; } = budget;

    public TimeProvider Clock { get; } = clock;

    /// <summary>As its worker said at hello; null before one came up.</summary>
    public string? EngineVersion { get; private set; }

    /// <summary>The end of what the worker said; empty where there is none.</summary>
    public string LastWords => _worker?.LastWords ?? "";

    /// <summary>The worker with its device open; starts one where there is none.</summary>
    public async Task<EvidenceWorker> OpenAsync(CancellationToken cancellationToken)
    {
        _worker ??= await EvidenceWorker.StartAsync(Subject, Folder, Clock, cancellationToken);
        EngineVersion = _worker.Client.Worker.Version;
        return _worker;
    }

    /// <summary>The client of a worker that has the model and is warm.</summary>
    public async Task<WorkerClient> LoadedAsync(CancellationToken cancellationToken)
    {
        var worker = await OpenAsync(cancellationToken);
        await worker.Client.LoadAsync(Model.Spec, cancellationToken);
        await worker.Client.WarmUpAsync(Model.Sha256, cancellationToken);
        return worker.Client;
    }

    /// <summary>Ends the worker: after a failure nothing is asked of the same process again.</summary>
    public async Task DropAsync()
    {
        if (_worker is not { } last)
            return;
        _worker = null;
        await last.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await DropAsync();
}
