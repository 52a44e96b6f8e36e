using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// The checkpoints of a run, one after another: training stands still only while the worker writes its state to a file; the
/// file travels to the store while training goes on. One travels at a time, for as long as the store does not take it.
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

    /// <summary>The last one that is durable; its parent at first.</summary>
    public string? Last { get; private set; } = parent;

    /// <summary>Step of the last durable one that this saved; null before the first.</summary>
    public long? LastStep { get; private set; }

    /// <summary>Time that training has stood still for checkpoints.</summary>
    public TimeSpan Stall { get; private set; }

    /// <summary>Whether it is time, and none is on its way.</summary>
    public bool IsDue => travelling.IsCompleted && time.GetElapsedTime(began) >= pace.Interval;

    /// <summary>Takes a snapshot; returns when training may go on.</summary>
    /// <exception cref="CheckpointException">The one before was fenced: the lease is lost.</exception>
    public async Task SaveAsync(
        ITrainingSession session,
        RunState run,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    )
    {
        await travelling;
        began = time.GetTimestamp();
        var path = folder.NextState();
        await session.SaveAsync(path, weightsOnly: false, cancellationToken);
        var stall = time.GetElapsedTime(began);
        Stall += stall;
        travelling = Task.Run(() => SendAsync(path, run, metrics, stall, cancellationToken), CancellationToken.None);
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
