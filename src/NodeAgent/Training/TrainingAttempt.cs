using System.Globalization;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>A run in one worker: opens a session, restores what the store has, and trains to the end.</summary>
internal sealed class TrainingAttempt(
    TrainingGateway gateway,
    ReportQueue reports,
    LoadedModels models,
    BringUp bringUp,
    PreparedTraining prepared,
    TrainingFolder folder,
    HeldLease lease,
    NoteOutbox notes,
    TimeProvider time
) : ITrainingAttempt
{
    private readonly TrainingLease named = new(lease.Key.Shard, lease.Key.Epoch);

    /// <summary>Step it went on from; -1 until it is known.</summary>
    public long Started { get; private set; } = -1;

    /// <summary>Steps done.</summary>
    public long Reached { get; private set; }

    public async Task<TrainingOutcome> RunAsync(WorkerProcess process, CancellationToken stopping)
    {
        var worker = process.Client;
        var estimate = await worker.EstimateTrainingAsync(prepared.Spec, stopping);
        using var reserved = await models.ReserveAsync(estimate.MemoryBytes, stopping);
        await using var session = await OpenAsync(worker, stopping);
        var (state, from) = await RestoreAsync(session, process.ProcessId, estimate, stopping);
        Started = Reached = state.Step;
        if (state.Step == 0)
            await ShowAsync("Before", session, 0, stopping);
        var line = new CheckpointLine(
            gateway,
            named,
            folder,
            new CheckpointPace(TimeSpan.FromSeconds(prepared.Parameters.CheckpointSeconds)),
            notes,
            // Of a run that comes further, the tries are not counted up.
            () => reports.SendAsync(lease, ShardOutcome.Progress, [], null),
            time,
            from?.Id
        );
        var run = new TrainingRun(
            prepared.Parameters,
            prepared.Plan,
            prepared.Data,
            session,
            line,
            notes,
            lease,
            from?.Metrics ?? new Dictionary<string, double>(StringComparer.Ordinal),
            time
        )
        {
            Stepped = at => Reached = at.Step,
        };
        using var phase = bringUp.Begin("training");
        var outcome = await run.RunAsync(state, stopping);
        await ShowAsync("After", session, outcome.State.Step, stopping);
        return outcome;
    }

    private async Task<ITrainingSession> OpenAsync(WorkerClient worker, CancellationToken cancellationToken)
    {
        using var phase = bringUp.Begin("opening a training session");
        return await worker.OpenTrainingAsync(prepared.Spec, cancellationToken);
    }

    /// <summary>
    /// The newest state of this job; of a job that has none yet, the weights of the checkpoint it is to start from, if any.
    /// </summary>
    private async Task<(RunState State, CheckpointPart? From)> RestoreAsync(
        ITrainingSession session,
        int processId,
        TrainEstimate estimate,
        CancellationToken cancellationToken
    )
    {
        using var phase = bringUp.Begin("restoring the last checkpoint");
        var places = StateFiles.PlacesOf(prepared.Spec, session.Info);
        var parameters = prepared.Parameters;
        var start = RunState.Start(prepared.Spec.ContentHash, parameters.Training.Sha256);
        if (await AskAsync(store => store.RestoreAsync(named.Shard, places.Place, cancellationToken)) is { } own)
        {
            foreach (var damaged in own.PassedOver)
                notes.Warn(
                    damaged.Step,
                    $"Checkpoint {damaged.Id} of step {damaged.Step} is damaged; an earlier one is used."
                );
            var state = RunState.Read(own.Manifest.Metadata);
            if (state.BaseSha256 != start.BaseSha256 || state.DataSha256 != start.DataSha256)
                throw new TrainingStateException($"Checkpoint {own.Checkpoint.Id} is of another model or other data.");
            await TakeAsync(session, places, state.Step, cancellationToken);
            notes.Say(state.Step, $"Goes on from the checkpoint of step {state.Step} in worker {processId}.");
            return (state, own.Checkpoint);
        }
        notes.Say(
            0,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Starts in worker {processId}, in {estimate.MemoryBytes:N0} bytes of memory at most."
            )
        );
        if (!CheckpointId.TryParse(parameters.StartFrom, out var id))
            return (start, null);
        var other = await AskAsync(store => store.RestoreAsync(id, places.Place, cancellationToken));
        await TakeAsync(session, places, step: null, cancellationToken);
        notes.Say(0, $"Starts with the weights of checkpoint {id}, step {other.Checkpoint.Step}.");
        return (start, other.Checkpoint);

        Task<T> AskAsync<T>(Func<CheckpointClient, Task<T>> read) =>
            gateway.CheckpointAsync(
                read,
                why => notes.Warn(0, $"The last checkpoint cannot be read yet: {why}"),
                cancellationToken
            );
    }

    private async Task TakeAsync(
        ITrainingSession session,
        StateFiles.StatePlaces places,
        long? step,
        CancellationToken cancellationToken
    )
    {
        var path = folder.NextState();
        await Task.Run(() => places.Write(path, step), cancellationToken);
        await session.RestoreAsync(path, cancellationToken);
        File.Delete(path);
    }

    private async Task ShowAsync(
        string when,
        ITrainingSession session,
        long step,
        CancellationToken cancellationToken
    ) => notes.Say(step, $"{when}: {await prepared.Text.ContinueAsync(session, cancellationToken)}");
}
