using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Postgres.Checkpoints;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Training;

/// <summary>What members say: each call one transaction that holds the member's lease and then the row of the run.</summary>
internal sealed class RoundEntries(CheckpointConnections connections)
{
    private const string FencedDetail = "The lease of this member is not the current one of its shard.";

    /// <summary>A step that touches nothing but the state of the run.</summary>
    public Task<RoundOutcome> ActAsync(
        RoundLease lease,
        Func<RoundRun, (RoundState State, RoundReply Reply)> step,
        CancellationToken cancellationToken
    ) =>
        HoldingAsync(
            lease,
            async (connection, run, token) =>
            {
                if (run is null)
                    return new RoundOutcome(RoundReply.NotBegun, null);
                var (state, reply) = step(run);
                if (reply == RoundReply.Accepted)
                    await RoundRows.SaveAsync(connection, run.Job, state, token);
                return new RoundOutcome(reply, run with { State = state });
            },
            cancellationToken
        );

    public Task<RoundOutcome> BeginAsync(
        RoundLease lease,
        RoundTerms terms,
        CheckpointId weights,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        if (RoundTermsRules.Fault(terms) is { } wrong)
            return Task.FromResult(Invalid(wrong));
        if (OuterTensors.FaultOfWeights(manifest) is { } fault)
            return Task.FromResult(Invalid($"The weights are not valid: {fault}."));
        return HoldingAsync(
            lease,
            (connection, run, token) =>
                run is null
                    ? BeginAsync(connection, lease, terms, weights, manifest, token)
                    : Task.FromResult(
                        run.Terms == terms
                            ? new RoundOutcome(RoundReply.Accepted, run)
                            : Invalid("The run has begun with other terms.")
                    ),
            cancellationToken
        );
    }

    public Task<RoundOutcome> ContributeAsync(RoundLease lease, RoundWork work, CancellationToken cancellationToken) =>
        HoldingAsync(
            lease,
            async (connection, run, token) =>
            {
                if (run is null)
                    return new RoundOutcome(RoundReply.NotBegun, null);
                var (state, reply) = RoundMachine.Contribute(
                    run.State,
                    new RoundContribution(
                        lease.Shard.Number,
                        lease.Epoch,
                        work.Delta.ToString(),
                        work.Encoding,
                        work.Tokens,
                        work.Microshards,
                        work.Loss
                    ),
                    work.Round,
                    work.Base,
                    run.Now
                );
                if (reply != RoundReply.Accepted || ReferenceEquals(state, run.State))
                    return new RoundOutcome(reply, run);
                if (await KeepAsync(connection, lease, run, work, token) is { } refused)
                    return refused;
                state = RoundMachine.Tick(state, await RoundRows.LiveAsync(connection, run.Job, token), run.Now);
                await RoundRows.SaveAsync(connection, run.Job, state, token);
                return new RoundOutcome(RoundReply.Accepted, run with { State = state });
            },
            cancellationToken
        );

    private Task<RoundOutcome> HoldingAsync(
        RoundLease lease,
        Func<NpgsqlConnection, RoundRun?, CancellationToken, Task<RoundOutcome>> work,
        CancellationToken cancellationToken
    ) =>
        connections.TransactAsync(
            async (connection, token) =>
            {
                await using var hold = CheckpointConnections.Command(
                    connection,
                    RoundSql.HoldLease,
                    CheckpointRows.Value(lease.Shard.Job.Value),
                    CheckpointRows.Value(lease.Shard.Number),
                    CheckpointRows.Value(lease.Epoch),
                    CheckpointRows.Value(lease.Node.Value)
                );
                if (await hold.ExecuteScalarAsync(token) is null)
                    return new RoundOutcome(RoundReply.Fenced, null, FencedDetail);
                var job = CheckpointRows.Value(lease.Shard.Job.Value);
                return await work(connection, await RoundRows.ReadAsync(connection, RoundSql.Lock, token, job), token);
            },
            outcome => outcome.Reply == RoundReply.Accepted,
            cancellationToken
        );

    private static async Task<RoundOutcome> BeginAsync(
        NpgsqlConnection connection,
        RoundLease lease,
        RoundTerms terms,
        CheckpointId weights,
        Manifest manifest,
        CancellationToken token
    )
    {
        var (refused, chunks) = await FillAsync(connection, lease, weights, manifest, token);
        if (refused is not null)
            return refused;
        await CheckpointHold.RunAsync(
            connection,
            RoundSql.AdoptBase,
            token,
            CheckpointRows.Value(weights.Value),
            CheckpointRows.Value(OuterTensors.Shard),
            CheckpointRows.Value(manifest.Tensors.Sum(tensor => tensor.SizeBytes)),
            CheckpointRows.Value(chunks),
            CheckpointRows.Json(manifest.Metadata)
        );
        await using var clock = CheckpointConnections.Command(connection, "select clock_timestamp()");
        var now = new DateTimeOffset((DateTime)(await clock.ExecuteScalarAsync(token))!);
        var rules = new RoundRules(
            terms.Data.Count,
            new OuterRates(terms.OuterRate, terms.OuterMomentum),
            terms.RoundSeconds,
            Limits.SilentRounds * terms.RoundSeconds
        );
        var state = RoundMachine.Start(rules, OuterTensors.HashOf(manifest), now);
        await using var begin = CheckpointConnections.Command(
            connection,
            RoundSql.Begin,
            CheckpointRows.Value(lease.Shard.Job.Value),
            CheckpointRows.Value((short)state.Phase),
            RoundRows.Json(terms),
            RoundRows.Json(state),
            CheckpointRows.Value(weights.Value)
        );
        // Another member began at the same time: what it began is found by the repetition.
        return await begin.ExecuteNonQueryAsync(token) == 0
            ? new RoundOutcome(RoundReply.NotBegun, null, "Another member begins the run.")
            : new RoundOutcome(RoundReply.Accepted, new RoundRun(lease.Shard.Job, terms, state, weights, now, []));
    }

    private static async Task<RoundOutcome?> KeepAsync(
        NpgsqlConnection connection,
        RoundLease lease,
        RoundRun run,
        RoundWork work,
        CancellationToken token
    )
    {
        var weights = OuterTensors.WeightsOf(await ManifestAsync(connection, run.Checkpoint, token));
        if (OuterTensors.FaultOfDelta(weights, work.Manifest, work.Encoding) is { } fault)
            return Invalid($"The difference is not valid: {fault}.");
        var (refused, chunks) = await FillAsync(connection, lease, work.Delta, work.Manifest, token);
        if (refused is not null)
            return refused;
        await CheckpointHold.RunAsync(
            connection,
            RoundSql.Contribute,
            token,
            CheckpointRows.Value(work.Delta.Value),
            CheckpointRows.Value(work.Manifest.Tensors.Sum(tensor => tensor.SizeBytes)),
            CheckpointRows.Value(chunks)
        );
        return null;
    }

    /// <summary>The manifest of an open checkpoint of the member, stored, if all its chunks are.</summary>
    private static async Task<(RoundOutcome? Refused, int Chunks)> FillAsync(
        NpgsqlConnection connection,
        RoundLease lease,
        CheckpointId id,
        Manifest manifest,
        CancellationToken token
    )
    {
        await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksShared, token);
        if (await CheckpointHold.TakeAsync(connection, new CheckpointWriter(id, lease.Node), token) is { } refusal)
            return (Invalid(CheckpointHold.Refuse<int>(refusal).Detail), 0);
        var filled = await CheckpointSeal.FillAsync(connection, id, manifest, token);
        return filled.Refusal is null ? (null, filled.Value) : (Invalid(filled.Detail), 0);
    }

    private static async Task<Manifest> ManifestAsync(
        NpgsqlConnection connection,
        CheckpointId id,
        CancellationToken token
    ) =>
        new(
            await RoundRows.ListAsync(
                connection,
                CheckpointSql.ReadManifest,
                CheckpointRows.Tensor,
                token,
                CheckpointRows.Value(id.Value)
            )
        );

    private static RoundOutcome Invalid(string detail) => new(RoundReply.Invalid, null, detail);
}
