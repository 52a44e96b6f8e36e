using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Writing.Statements;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// The outcomes of a turn that was committed while its answer was lost, told from what it wrote (<see cref="LostRows"/>).
/// Of two operations that say the same the first counts as the one that was applied.
/// </summary>
internal static class LostTurn
{
    public static async Task<LedgerOutcome[]> ReadAsync(
        LeaderTerm term,
        long number,
        IEnumerable<LedgerOperation> operations,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var list = operations.ToList();
        var rows = await LostRows.ReadAsync(term, number, list, connection, cancellationToken);
        var outcomes = new LedgerOutcome[list.Count];
        for (var i = 0; i < outcomes.Length; i++)
            outcomes[i] = OutcomeOf(list[i], i, rows) ?? new LedgerOutcome(Applied: false);
        // Reports without a new result left no trace; what became of their leases tells.
        for (var i = 0; i < outcomes.Length; i++)
        {
            if (list[i] is LedgerOperation.RecordResults report)
                outcomes[i] = Reported(report, i, list, outcomes, rows);
        }
        return outcomes;
    }

    private static LedgerOutcome? OutcomeOf(LedgerOperation operation, int position, LostRows rows) =>
        operation switch
        {
            LedgerOperation.SubmitJob o => Submitted(o, position, rows),
            LedgerOperation.ReleaseJob o => Released(o, rows),
            LedgerOperation.StartJob o => Applied(rows.Take(o.Id, JobEventKind.Started)),
            LedgerOperation.SucceedJob o => Applied(rows.Take(o.Id, JobEventKind.Succeeded)),
            LedgerOperation.EndJob { To: JobState.Failed } o => Applied(rows.Take(o.Id, JobEventKind.Failed)),
            LedgerOperation.EndJob o => Applied(rows.Take(o.Id, JobEventKind.Cancelled)),
            LedgerOperation.ExpireJob o => Applied(rows.Take(o.Id, JobEventKind.Failed)),
            LedgerOperation.HoldJob o => Applied(rows.Take(o.Id, JobEventKind.Held)),
            LedgerOperation.PauseJob o => Applied(rows.Take(o.Id, JobEventKind.Paused)),
            LedgerOperation.ResumeJob o => Applied(rows.Take(o.Id, JobEventKind.Resumed)),
            LedgerOperation.UnblockJob o => Applied(rows.Take(o.Id, JobEventKind.Unblocked)),
            LedgerOperation.StartShard o => Applied(rows.TakeStart(o)),
            LedgerOperation.RestartShard o => Applied(rows.Take(o.Id, JobEventKind.ShardStarted, o.Epoch)),
            LedgerOperation.FinishShard o => Applied(rows.Take(o.Id, JobEventKind.ShardFinished, o.Epoch)),
            LedgerOperation.FailShard o => Applied(rows.Take(o.Id, JobEventKind.ShardFailed, o.Epoch)),
            LedgerOperation.RequeueShard o => Applied(rows.Take(o.Id, JobEventKind.ShardRequeued, o.Epoch)),
            _ => null,
        };

    private static LedgerOutcome? Applied(LostRows.Event? entry) =>
        entry is null ? null : new LedgerOutcome(Applied: true, Sequence: entry.Sequence);

    private static LedgerOutcome Submitted(LedgerOperation.SubmitJob o, int position, LostRows rows)
    {
        var outcome = new LedgerOutcome(Applied: false);
        for (var nth = 0; nth < o.Spec.Rules.DependsOn.Count; nth++)
            outcome = DependencyStates.Add(outcome, nth, rows.StateOf(o.Spec.Rules.DependsOn[nth].Job));
        if (rows.Take(o.Spec.Id, JobEventKind.Submitted) is { } made)
        {
            var held = o.Spec.Rules.StartsHeld ? rows.Take(o.Spec.Id, JobEventKind.Held) : null;
            var blocked = held is null ? rows.TakeNext(made, JobEventKind.Blocked) : null;
            return outcome with
            {
                Applied = true,
                Sequence = (held ?? blocked ?? made).Sequence,
                CreatedAt = made.At,
                State =
                    held is not null ? JobState.Held
                    : blocked is not null ? JobState.Blocked
                    : JobState.Queued,
                Dependencies = outcome.Dependencies ?? [],
            };
        }
        return rows.EarlierOf(position) is { } earlier
            ? new LedgerOutcome(
                Applied: false,
                earlier.Job,
                KeyReused: earlier.BodySha256 != o.IdempotencyKey?.BodySha256
            )
            : outcome;
    }

    private static LedgerOutcome? Released(LedgerOperation.ReleaseJob o, LostRows rows)
    {
        if (rows.Take(o.Id, JobEventKind.Released) is not { } released)
            return null;
        var blocked = rows.TakeNext(released, JobEventKind.Blocked);
        var outcome = new LedgerOutcome(
            Applied: true,
            Sequence: (blocked ?? released).Sequence,
            State: blocked is null ? JobState.Queued : JobState.Blocked,
            Dependencies: []
        );
        foreach (var (nth, target) in rows.DependenciesOf(o.Id))
            outcome = DependencyStates.Add(outcome, nth, rows.StateOf(target));
        return outcome;
    }

    /// <summary>Accepted when it stored something, when its lease still runs, or when this turn ended the lease after it.</summary>
    private static LedgerOutcome Reported(
        LedgerOperation.RecordResults report,
        int position,
        List<LedgerOperation> operations,
        LedgerOutcome[] outcomes,
        LostRows rows
    )
    {
        var added = report
            .Results.Select(result => result.Index)
            .Where(index => rows.TakeResult(report.Id.Job, index, report.Epoch))
            .Order()
            .ToList();
        var endedLater = Enumerable
            .Range(position + 1, operations.Count - position - 1)
            .Any(later => outcomes[later].Applied && Ends(operations[later], report.Id, report.Epoch));
        return new LedgerOutcome(
            added.Count > 0 || rows.IsLeased(report.Id, report.Epoch) || endedLater,
            NewResults: added
        );
    }

    private static bool Ends(LedgerOperation operation, ShardId shard, int epoch) =>
        operation switch
        {
            LedgerOperation.FinishShard o => o.Id == shard && o.Epoch == epoch,
            LedgerOperation.FailShard o => o.Id == shard && o.Epoch == epoch,
            LedgerOperation.RequeueShard o => o.Id == shard && o.Epoch == epoch,
            LedgerOperation.PauseJob o => o.Id == shard.Job,
            LedgerOperation.EndJob o => o.Id == shard.Job,
            LedgerOperation.ExpireJob o => o.Id == shard.Job,
            _ => false,
        };
}
