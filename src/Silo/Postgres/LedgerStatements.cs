using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres;

/// <summary>An operation as a statement with its parameters, and a statement's answer as an outcome.</summary>
internal static class LedgerStatements
{
    private static readonly LedgerOutcome Refused = new(Applied: false);

    public static NpgsqlBatchCommand Guard(LeaderTerm term) =>
        new(LedgerSql.AssertLeader) { Parameters = { Text(term.Pool.Value), Text(term.Holder), Long(term.Epoch) } };

    public static NpgsqlBatchCommand For(LeaderTerm term, LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.SubmitJob o => Submit(term.Pool, o),
            LedgerOperation.StartShard o => new(LedgerSql.StartShard)
            {
                Parameters =
                {
                    Job(o.Id.Job),
                    Int(o.Id.Number),
                    Int(o.FirstItem),
                    Int(o.ItemCount),
                    Text(o.Device.ToString()),
                },
            },
            LedgerOperation.RestartShard o => new(LedgerSql.RestartShard)
            {
                Parameters = { Job(o.Id.Job), Int(o.Id.Number), Int(o.Epoch), Text(o.Device.ToString()) },
            },
            LedgerOperation.RecordResults o => Record(o),
            LedgerOperation.FinishShard o => End(
                o.Id,
                o.Epoch,
                ShardState.Done,
                JobEventKind.ShardFinished,
                message: null
            ),
            LedgerOperation.FailShard o => End(o.Id, o.Epoch, ShardState.Failed, JobEventKind.ShardFailed, o.Reason),
            LedgerOperation.RequeueShard o => new(LedgerSql.RequeueShard)
            {
                Parameters =
                {
                    Job(o.Id.Job),
                    Int(o.Id.Number),
                    Int(o.Epoch),
                    Int(o.CountsAsFailure ? 1 : 0),
                    TextOrNull(o.Reason),
                },
            },
            LedgerOperation.StartJob o => Move(term, o.Id, JobState.Queued, JobState.Running, reason: null),
            LedgerOperation.SucceedJob o => Move(term, o.Id, JobState.Running, JobState.Succeeded, reason: null),
            LedgerOperation.EndJob o => Move(term, o.Id, from: null, o.To, o.End.Message),
            _ => throw new ArgumentException($"Unknown operation {operation.GetType().Name}.", nameof(operation)),
        };

    /// <summary>Reads the current result set, which is that of <paramref name="operation"/>.</summary>
    public static async Task<LedgerOutcome> ReadAsync(
        LedgerOperation operation,
        NpgsqlDataReader reader,
        CancellationToken cancellationToken
    )
    {
        if (!await reader.ReadAsync(cancellationToken))
            return Refused;
        switch (operation)
        {
            case LedgerOperation.RecordResults:
                return new LedgerOutcome(
                    Applied: true,
                    NewResults: await reader.GetFieldValueAsync<int[]>(0, cancellationToken)
                );
            case LedgerOperation.SubmitJob submit:
                var sequence = reader.IsDBNull(0) ? 0 : reader.GetInt64(0);
                if (sequence != 0 || reader.IsDBNull(1))
                    return new LedgerOutcome(sequence != 0, Sequence: sequence);
                var sameBody = reader.GetString(2) == submit.IdempotencyKey?.BodySha256;
                return new LedgerOutcome(Applied: false, new JobId(reader.GetGuid(1)), KeyReused: !sameBody);
            default:
                return new LedgerOutcome(Applied: true, Sequence: reader.GetInt64(0));
        }
    }

    private static NpgsqlBatchCommand Move(LeaderTerm term, JobId id, JobState? from, JobState to, string? reason) =>
        new(LedgerSql.MoveJob)
        {
            Parameters =
            {
                Job(id),
                Text(term.Pool.Value),
                Small((int)(from ?? to)),
                Small((int)to),
                Small((int)EventOf(to)),
                TextOrNull(reason),
            },
        };

    private static NpgsqlBatchCommand Submit(PoolId pool, LedgerOperation.SubmitJob o) =>
        new(LedgerSql.SubmitJob)
        {
            Parameters =
            {
                Job(o.Spec.Id),
                Text(pool.Value),
                Text(o.Spec.Tenant.Value),
                Int(o.Spec.ItemCount),
                new NpgsqlParameter { Value = LedgerJson.Spec(o.Spec), NpgsqlDbType = NpgsqlDbType.Json },
                TextOrNull(o.IdempotencyKey?.Key),
                TextOrNull(o.IdempotencyKey?.BodySha256),
            },
        };

    private static NpgsqlBatchCommand Record(LedgerOperation.RecordResults o)
    {
        var results = o.Results;
        return new NpgsqlBatchCommand(LedgerSql.RecordResults)
        {
            Parameters =
            {
                Job(o.Id.Job),
                Int(o.Id.Number),
                Int(o.Epoch),
                Int(results.Count == 0 ? int.MaxValue : results.Min(r => r.Index)),
                Int(results.Count == 0 ? -1 : results.Max(r => r.Index)),
                Ints(results.Select(r => r.Index)),
                Array(results.Select(r => r.ErrorCode is not null), NpgsqlDbType.Boolean),
                Ints(results.Select(_ => o.Epoch)),
                Array(results.Select(r => r.Device.ToString()), NpgsqlDbType.Text),
                Ints(results.Select(r => r.WorkerProcessId)),
                Ints(results.Select(r => r.PromptTokens)),
                Ints(results.Select(r => r.CompletionTokens)),
                Ints(results.Select(r => r.DurationMilliseconds)),
                Array(results.Select(LedgerJson.Result), NpgsqlDbType.Json),
            },
        };
    }

    private static NpgsqlBatchCommand End(
        ShardId id,
        int epoch,
        ShardState state,
        JobEventKind kind,
        string? message
    ) =>
        new(LedgerSql.EndShard)
        {
            Parameters =
            {
                Job(id.Job),
                Int(id.Number),
                Int(epoch),
                Small((int)state),
                Small((int)kind),
                TextOrNull(message),
            },
        };

    private static JobEventKind EventOf(JobState state) =>
        state switch
        {
            JobState.Running => JobEventKind.Started,
            JobState.Succeeded => JobEventKind.Succeeded,
            JobState.Failed => JobEventKind.Failed,
            JobState.Cancelled => JobEventKind.Cancelled,
            _ => throw new ArgumentException($"No job is moved to {state}.", nameof(state)),
        };

    private static NpgsqlParameter<Guid> Job(JobId id) => new() { TypedValue = id.Value };

    private static NpgsqlParameter<int> Int(int value) => new() { TypedValue = value };

    private static NpgsqlParameter<short> Small(int value) => new() { TypedValue = (short)value };

    private static NpgsqlParameter<long> Long(long value) => new() { TypedValue = value };

    private static NpgsqlParameter Text(string value) =>
        new() { Value = LedgerText.Clean(value), NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter TextOrNull(string? value) =>
        new() { Value = LedgerText.OrNull(value), NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Ints(IEnumerable<int> values) => Array(values, NpgsqlDbType.Integer);

    private static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType type) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };
}
