using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>
/// A member that goes from round to round: takes its part of the data, trains on it from the base, hands in what it learnt,
/// and waits for the others. What it has not handed in when it leaves is others' work again.
/// </summary>
internal sealed class SharedMember(
    PreparedTraining prepared,
    SharedRows rows,
    SharedPlan shared,
    ITrainingSession session,
    SharedWeights weights,
    SharedCurve curve,
    RoundGateway rounds,
    HeldLease lease,
    TimeProvider time
)
{
    /// <summary>Share of a round's time after which a member hands in what it has.</summary>
    private const double TimeShare = 0.8;

    private readonly TrainingLease named = new(lease.Key.Shard, lease.Key.Epoch);
    private readonly int number = lease.Key.Shard.Number;

    /// <summary>Told of each contribution that was taken, and of the round it was to.</summary>
    public required Func<int, Task> Contributed { get; init; }

    /// <summary>Trained by this member.</summary>
    public long Tokens { get; private set; }

    /// <returns>The run as it ended.</returns>
    /// <exception cref="OperationCanceledException">It was broken off, or the lease has ended.</exception>
    public async Task<RoundNow> RunAsync(RoundNow round, CancellationToken stopping)
    {
        while (!round.IsOver)
        {
            stopping.ThrowIfCancellationRequested();
            rounds.Round = round.Round;
            if (round.Phase == RoundPhase.Open && (round.HasFree || round.Held.Count > 0))
                await TakePartAsync(round, stopping);
            var known = round.Round;
            round = await rounds.AskAsync(client => client.NextAsync(named, known, stopping), stopping);
        }
        return round;
    }

    /// <summary>Mean loss of the validation data; null without any.</summary>
    public async Task<double?> EvaluateAsync() =>
        prepared.Data.Validation is { } batches ? await Validation.LossAsync(session, batches, lease) : null;

    private async Task TakePartAsync(RoundNow round, CancellationToken stopping)
    {
        try
        {
            var known = round.Round;
            var total = shared.Share(round);
            round = await rounds.AskAsync(client => client.TakeAsync(named, known, total, stopping), stopping);
            if (round.Held.Count == 0)
            {
                // The deadline has passed: nobody gets work until the coordinator has looked.
                await Task.Delay(Limits.CheckpointRetry, time, stopping);
                return;
            }
            await weights.TakeAsync(rounds, round, stopping);
            if (round.Members[0] == number)
                curve.Tell(round, shared.Evaluates(round) ? await EvaluateAsync() : null);
            await ContributeAsync(round, await LearnAsync(round, stopping), stopping);
        }
        catch (CheckpointException e) when (e.Code is "stale_round" or "wrong_base" or "not_found" or "run_over")
        {
            // The others have gone on without it: so does it, from where they are.
        }
        catch (CheckpointException e) when (e.Code == "not_a_member")
        {
            await rounds.AskAsync(client => client.JoinAsync(named, stopping), stopping);
        }
    }

    private async Task<Learnt> LearnAsync(RoundNow round, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        var (loss, tokens, steps) = (0.0, 0L, 0L);
        var done = new List<int>();
        foreach (var microshard in round.Held)
        {
            foreach (var batch in rows.Batches(microshard))
            {
                stopping.ThrowIfCancellationRequested();
                await lease.ReadyAsync();
                var rate = prepared.Plan.RateAt(shared.Place(round, steps++));
                var step = await session.StepAsync(batch, rate, lease.Ended);
                loss += step.Loss * step.TrainedTokens;
                tokens += step.TrainedTokens;
            }
            done.Add(microshard);
            if (time.GetElapsedTime(began).TotalSeconds > TimeShare * round.SecondsLeft)
                break;
        }
        return new Learnt(done, tokens, loss / tokens);
    }

    private async Task ContributeAsync(RoundNow round, Learnt learnt, CancellationToken stopping)
    {
        var delta = await weights.DeltaAsync(round.Round, stopping);
        var staged = await rounds.AskAsync(client => client.SendAsync(named, delta, stopping), stopping);
        await rounds.AskAsync(
            client =>
                client.ContributeAsync(
                    named,
                    round,
                    staged,
                    weights.Encoding,
                    learnt.Tokens,
                    learnt.Microshards,
                    learnt.Loss,
                    stopping
                ),
            stopping
        );
        Tokens += learnt.Tokens;
        await Contributed(round.Round);
    }

    /// <summary>What a member did in a round.</summary>
    /// <param name="Loss">Mean of the tokens.</param>
    private sealed record Learnt(IReadOnlyList<int> Microshards, long Tokens, double Loss);
}
