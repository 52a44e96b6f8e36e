using System.Globalization;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>
/// A member of a shared run in one worker: joins, or begins the run where nobody has, and takes part to the end. What it
/// had learnt for itself, the moments of its optimizer, is lost with the worker; the weights are in the rounds.
/// </summary>
internal sealed class SharedAttempt(
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
    private readonly RoundGateway rounds = new(gateway, notes);
    private readonly SharedRows rows = prepared.Data.Shared!;
    private readonly DataParallelParameters wished = prepared.Parameters.DataParallel!;

    /// <summary>Round it came into; -1 until it is known.</summary>
    public long Started { get; private set; } = -1;

    /// <summary>Rounds it has contributed to, by the last one's number.</summary>
    public long Reached { get; private set; }

    /// <summary>The first shard answers for the end of the run; it is never left out, since the job waits for it.</summary>
    private bool IsFirst => named.Shard.Number == 0;

    public async Task<TrainingOutcome> RunAsync(WorkerProcess process, CancellationToken stopping)
    {
        var worker = process.Client;
        var estimate = await worker.EstimateTrainingAsync(prepared.Spec, stopping);
        using var reserved = await models.ReserveAsync(estimate.MemoryBytes, stopping);
        await using var session = await OpenAsync(worker, stopping);
        var weights = new SharedWeights(prepared.Spec, session, folder, new DeltaEncoder(wished.Encoding));
        var round = await JoinAsync(session, weights, stopping);
        Started = Reached = round.Round;
        if (!round.IsOver)
            notes.Say(
                round.Round,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Member {named.Shard.Number} takes part from round {round.Round} in worker {process.ProcessId}."
                )
            );
        using var phase = bringUp.Begin("training");
        var shared = new SharedPlan(
            wished,
            prepared.Plan.TotalSteps,
            rows.Cut.Count,
            prepared.Parameters.EvaluateEverySteps
        );
        var curve = new SharedCurve(prepared.Plan, shared, rows.Cut.Count, notes, time);
        var member = new SharedMember(prepared, rows, shared, session, weights, curve, rounds, lease, time)
        {
            Contributed = ReachAsync,
        };
        round = await member.RunAsync(round, stopping);
        return await EndAsync(round, session, weights, member, curve, stopping);
    }

    private Task ReachAsync(int round)
    {
        Reached = round;
        // Of a member that comes further, the tries are not counted up.
        return reports.SendAsync(lease, ShardOutcome.Progress, [], null);
    }

    private async Task<ITrainingSession> OpenAsync(WorkerClient worker, CancellationToken cancellationToken)
    {
        using var phase = bringUp.Begin("opening a training session");
        return await worker.OpenTrainingAsync(prepared.Spec, cancellationToken);
    }

    private async Task<RoundNow> JoinAsync(
        ITrainingSession session,
        SharedWeights weights,
        CancellationToken cancellationToken
    )
    {
        using var phase = bringUp.Begin("joining the rounds");
        try
        {
            return await JoinAsync(cancellationToken);
        }
        catch (CheckpointException e) when (e.Code == "run_not_begun")
        {
            await StartAsync(session, cancellationToken);
        }
        notes.Say(0, $"Before: {await prepared.Text.ContinueAsync(session, cancellationToken)}");
        var terms = new RoundTerms(rows.Cut, wished.OuterRate, wished.OuterMomentum, wished.RoundSeconds);
        var own = await weights.OwnAsync(cancellationToken);
        await rounds.AskAsync(client => client.BeginAsync(named, terms, own, cancellationToken), cancellationToken);
        return await JoinAsync(cancellationToken);
    }

    /// <summary>The round as it is, of a run that is over too.</summary>
    private async Task<RoundNow> JoinAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await rounds.AskAsync(client => client.JoinAsync(named, cancellationToken), cancellationToken);
        }
        catch (CheckpointException e) when (e.Code == "run_over")
        {
            return await rounds.AskAsync(client => client.NextAsync(named, 0, cancellationToken), cancellationToken);
        }
    }

    /// <summary>The weights of the checkpoint that the run is to begin with, if any.</summary>
    private async Task StartAsync(ITrainingSession session, CancellationToken cancellationToken)
    {
        if (!CheckpointId.TryParse(prepared.Parameters.StartFrom, out var id))
            return;
        var places = StateFiles.PlacesOf(prepared.Spec, session.Info);
        var other = await gateway.CheckpointAsync(
            store => store.RestoreAsync(id, places.Place, cancellationToken),
            why => notes.Warn(0, $"The checkpoint to begin with cannot be read yet: {why}"),
            cancellationToken
        );
        var path = folder.NextState();
        await Task.Run(() => places.Write(path, step: null), cancellationToken);
        await session.RestoreAsync(path, cancellationToken);
        File.Delete(path);
        notes.Say(0, $"Starts with the weights of checkpoint {id}, step {other.Checkpoint.Step}.");
    }

    /// <summary>The run is over: its first shard looks at what came out of it.</summary>
    /// <exception cref="GenerationException">Nothing could be learnt from round after round.</exception>
    private async Task<TrainingOutcome> EndAsync(
        RoundNow round,
        ITrainingSession session,
        SharedWeights weights,
        SharedMember member,
        SharedCurve curve,
        CancellationToken stopping
    )
    {
        if (round.Phase == RoundPhase.Failed)
            throw new GenerationException(
                "rounds_barren",
                "Nothing that the members handed in could be applied, several rounds in a row.",
                retryable: false
            );
        double? validLoss = null;
        if (IsFirst)
        {
            await weights.TakeAsync(rounds, round, stopping);
            validLoss = await member.EvaluateAsync();
            curve.Tell(round, validLoss);
            notes.Say(round.Round, $"After: {await prepared.Text.ContinueAsync(session, stopping)}");
        }
        var start = RunState.Start(prepared.Spec.ContentHash, prepared.Parameters.Training.Sha256);
        var last = round.Figures.Count > 0 ? round.Figures[^1] : null;
        return new TrainingOutcome(
            start with
            {
                Step = round.Round,
                TrainedTokens = IsFirst ? last?.TrainedTokens ?? 0 : member.Tokens,
            },
            last?.Loss,
            validLoss,
            round.Checkpoint
        );
    }
}
