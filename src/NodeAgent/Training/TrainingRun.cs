using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>How a run stands when it is over.</summary>
internal sealed record TrainingOutcome(RunState State, double? TrainLoss, double? ValidLoss, string Checkpoint);

/// <summary>
/// The steps of a run in one session, from where its state is to the end. Under one lease: nothing is computed while that is
/// not confirmed, and nothing of it counts when it is lost.
/// </summary>
/// <param name="before">Metrics of the checkpoint it goes on from.</param>
internal sealed class TrainingRun(
    TrainParameters parameters,
    TrainingPlan plan,
    TrainingData data,
    ITrainingSession session,
    CheckpointLine checkpoints,
    NoteOutbox notes,
    HeldLease lease,
    IReadOnlyDictionary<string, double> before,
    TimeProvider time
)
{
    private const string TrainLoss = "train_loss";
    private const string ValidLoss = "valid_loss";

    private double? trainLoss = Found(before, TrainLoss);
    private double? validLoss = Found(before, ValidLoss);

    /// <summary>Called with the state after each step.</summary>
    public Action<RunState>? Stepped { get; init; }

    /// <param name="stopping">When it fires, the step under way is ended, its state is made durable, and the run is broken off.</param>
    /// <exception cref="EngineException">As of the session; <see cref="EngineErrorClass.NotFinite"/> says what to begin anew with.</exception>
    /// <exception cref="OperationCanceledException">It was broken off, or the lease has ended.</exception>
    public async Task<TrainingOutcome> RunAsync(RunState state, CancellationToken stopping)
    {
        var (meter, tokens) = (time.GetTimestamp(), state.TrainedTokens);
        using var rows = data.Order.From(state.Cursor, parameters.Epochs).GetEnumerator();
        while (state.Step < plan.TotalSteps)
        {
            if (stopping.IsCancellationRequested)
                await BreakOffAsync(state, stopping);
            await lease.ReadyAsync();
            state = await FiniteAsync(state.Step, () => StepAsync(rows, state));
            Stepped?.Invoke(state);
            var looks = data.Validation is not null && plan.EvaluatesAfter(state.Step);
            if (looks)
                validLoss = await FiniteAsync(state.Step, () => Validation.LossAsync(session, data.Validation!, lease));
            if (looks || plan.NotesAfter(state.Step))
            {
                Note(state, looks, (state.TrainedTokens - tokens) / time.GetElapsedTime(meter).TotalSeconds);
                (meter, tokens) = (time.GetTimestamp(), state.TrainedTokens);
            }
            if (checkpoints.IsDue && state.Step < plan.TotalSteps)
                await checkpoints.SaveAsync(session, state, Metrics(), lease.Ended);
        }
        await checkpoints.SaveLastAsync(session, state, Metrics(), lease.Ended);
        return new TrainingOutcome(state, trainLoss, validLoss, checkpoints.Last!);
    }

    private async Task<RunState> StepAsync(IEnumerator<PlacedRow> rows, RunState state)
    {
        var taken = new List<PlacedRow>(parameters.BatchRows);
        while (taken.Count < parameters.BatchRows && rows.MoveNext())
            taken.Add(rows.Current);
        var batch = TrainBatch.Of([.. taken.Select(placed => placed.Row)]);
        var done = await session.StepAsync(batch, plan.RateAt(state.Step), lease.Ended);
        trainLoss = done.Loss;
        var next = taken[^1].Next;
        return state with
        {
            Step = done.Step,
            Epoch = next.Epoch,
            Microshard = next.Microshard,
            Row = next.Row,
            TrainedTokens = state.TrainedTokens + done.TrainedTokens,
        };
    }

    /// <summary>
    /// A state whose loss is no number is most likely broken itself, and no checkpoint is made of it: those that are there
    /// have been trained on from.
    /// </summary>
    private async Task<T> FiniteAsync<T>(long step, Func<Task<T>> compute)
    {
        try
        {
            return await compute();
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.NotFinite)
        {
            await checkpoints.ArrivedAsync();
            throw new EngineException(
                EngineErrorClass.NotFinite,
                $"{e.Message} It was computed of the state after step {step}, of which no checkpoint is made: begin a run with "
                    + "start_from an earlier one and a lower learning rate.",
                innerException: e
            );
        }
    }

    /// <summary>All figures of a step go together: of two notes with figures of one step the first is kept.</summary>
    /// <param name="looked">Whether the validation data was looked at after this very step.</param>
    private void Note(RunState state, bool looked, double tokensPerSecond)
    {
        var figures = new Dictionary<string, double>(StringComparer.Ordinal)
        {
            [TrainLoss] = trainLoss!.Value,
            ["learning_rate"] = plan.RateAt(state.Step - 1),
            ["tokens"] = state.TrainedTokens,
            ["tokens_per_second"] = tokensPerSecond,
            ["total_steps"] = plan.TotalSteps,
        };
        if (looked)
            figures[ValidLoss] = validLoss!.Value;
        notes.Tell(state.Step, figures);
    }

    private Dictionary<string, double> Metrics()
    {
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal);
        if (trainLoss is { } training)
            metrics[TrainLoss] = training;
        if (validLoss is { } validation)
            metrics[ValidLoss] = validation;
        return metrics;
    }

    private static double? Found(IReadOnlyDictionary<string, double> metrics, string name) =>
        metrics.TryGetValue(name, out var value) ? value : null;

    private async Task BreakOffAsync(RunState state, CancellationToken stopping)
    {
        lease.Ended.ThrowIfCancellationRequested();
        await checkpoints.SaveLastAsync(session, state, Metrics(), lease.Ended);
        notes.Say(state.Step, $"Stopped after step {state.Step}; its checkpoint is stored.");
        stopping.ThrowIfCancellationRequested();
    }
}
