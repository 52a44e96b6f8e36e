using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// The checkpoints of a run, one after another: training stands still only while the worker writes its state to a file; the
/// file travels to the store while training goes on. One travels at a time, for as long as the store does not take it. A disk
/// that has no room for the file costs a checkpoint, not the run.
/// </summary>
/// <param name="stored">Told of each one that is durable.</param>
/// <param name="parent">Checkpoint that the run went on from; null for none.</param>
internal sealed class CheckpointLine(
    TrainingGateway gateway,
    TrainingLease lease,
    TrainingFolder folder,
    CheckpointPace pace,
    NoteOutbox notes,
    Func<Task> stored,
    TimeProvider time,
    string? parent
)
{
    private long began = time.GetTimestamp();
    private Task travelling = Task.CompletedTask;

    /// <summary>Why the last state could not be written; null where it could.</summary>
    private EngineException? refusal;

    /// <summary>The last one that is durable; its parent at first.</summary>
    public string? Last { get; private set; } = parent;

    /// <summary>Step of the last durable one that this saved; null before the first.</summary>
    public long? LastStep { get; private set; }

    /// <summary>Time that training has stood still for checkpoints.</summary>
    public TimeSpan Stall { get; private set; }

    /// <summary>Whether it is time, and none is on its way.</summary>
    public bool IsDue => travelling.IsCompleted && time.GetElapsedTime(began) >= pace.Interval;

    /// <summary>Takes a snapshot; returns when training may go on. One that cannot be written is left out, and told of.</summary>
    /// <returns>Whether it is on its way.</returns>
    /// <exception cref="CheckpointException">The one before was fenced: the lease is lost.</exception>
    public async Task<bool> SaveAsync(
        ITrainingSession session,
        RunState run,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    )
    {
        await travelling;
        began = time.GetTimestamp();
        var path = folder.NextState();
        try
        {
            await session.SaveAsync(path, weightsOnly: false, cancellationToken);
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.FileFailed)
        {
            if (refusal is null)
                notes.Warn(
                    run.Step,
                    $"The state of step {run.Step} cannot be written; it is tried again, make room: {e.Message}"
                );
            refusal = e;
            return false;
        }
        if (refusal is not null)
            notes.Say(run.Step, $"The state of step {run.Step} could be written again.");
        refusal = null;
        var stall = time.GetElapsedTime(began);
        Stall += stall;
        travelling = Task.Run(() => SendAsync(path, run, metrics, stall, cancellationToken), CancellationToken.None);
        return true;
    }

    /// <summary>Makes a state durable that nothing comes after; waits for a disk that has no room for it.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.FileFailed"/>: it had none for <see cref="Limits.StateFileWait"/>.</exception>
    /// <exception cref="CheckpointException">It was fenced: the lease is lost.</exception>
    public async Task SaveLastAsync(
        ITrainingSession session,
        RunState run,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    )
    {
        await travelling;
        var since = time.GetTimestamp();
        while (LastStep != run.Step)
        {
            if (await SaveAsync(session, run, metrics, cancellationToken))
                await travelling;
            else if (time.GetElapsedTime(since) >= Limits.StateFileWait)
                throw refusal!;
            else
                await Task.Delay(Limits.CheckpointRetry, time, cancellationToken);
        }
    }

    /// <summary>Returns when nothing travels any more.</summary>
    public Task ArrivedAsync() => travelling;

    private async Task SendAsync(
        string path,
        RunState run,
        IReadOnlyDictionary<string, double> metrics,
        TimeSpan stall,
        CancellationToken cancellationToken
    )
    {
        var from = time.GetTimestamp();
        try
        {
            await notes.TakenAsync();
            var tensors = StateFiles.Read(path);
            var state = new TrainingState(run.Step, Last, tensors) { Metrics = metrics, Metadata = run.Write() };
            var saved = await gateway.CheckpointAsync(
                client => client.SaveAsync(lease, state, cancellationToken),
                why => notes.Warn(run.Step, $"The checkpoint of step {run.Step} is not stored yet: {why}"),
                cancellationToken
            );
            (Last, LastStep) = (saved.Id, run.Step);
            pace.Took(stall, stall + time.GetElapsedTime(from));
            await stored();
        }
        finally
        {
            File.Delete(path);
        }
    }
}
