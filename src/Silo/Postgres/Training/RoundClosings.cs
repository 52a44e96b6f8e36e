using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Postgres.Checkpoints;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Training;

/// <summary>The ends of rounds: when they come, the next base on its way into the store, and the commit of it all.</summary>
internal sealed class RoundClosings(CheckpointConnections connections, TimeProvider time)
{
    public async Task<IReadOnlyList<JobId>> TickAsync(CancellationToken cancellationToken)
    {
        var active = await connections.UseAsync(ActiveAsync, cancellationToken);
        var closing = new List<JobId>();
        foreach (var (job, phase) in active)
        {
            if (phase == RoundPhase.Closing || await TickAsync(job, cancellationToken) == RoundPhase.Closing)
                closing.Add(job);
        }
        await connections.UseAsync(
            async (connection, token) =>
            {
                await using var drop = CheckpointConnections.Command(connection, RoundSql.DropLeftDeltas);
                return await drop.ExecuteNonQueryAsync(token);
            },
            cancellationToken
        );
        return closing;
    }

    public async Task<CheckpointId> OpenAsync(RoundRun run, CancellationToken cancellationToken)
    {
        var id = CheckpointId.New(time.GetUtcNow());
        await connections.UseAsync(
            async (connection, token) =>
            {
                await using var open = CheckpointConnections.Command(
                    connection,
                    RoundSql.OpenBase,
                    CheckpointRows.Value(id.Value),
                    CheckpointRows.Value(run.Job.Value),
                    CheckpointRows.Value(OuterTensors.Shard),
                    CheckpointRows.Value(run.Checkpoint.Value),
                    CheckpointRows.Value(run.State.Round + 1L)
                );
                return await open.ExecuteNonQueryAsync(token);
            },
            cancellationToken
        );
        return id;
    }

    /// <summary>Referred to before anybody looks whether they are there, as every writer does.</summary>
    public Task<bool> StoreAsync(CheckpointId id, IReadOnlyList<Chunk> chunks, CancellationToken cancellationToken)
    {
        Chunk[] sorted = [.. chunks.DistinctBy(chunk => chunk.Hash).OrderBy(chunk => chunk.Hash)];
        return connections.TransactAsync(
            async (connection, token) =>
            {
                await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksShared, token);
                if (!await IsOpenAsync(connection, id, token))
                    return false;
                var hashes = sorted.Select(chunk => chunk.Hash).ToArray();
                await CheckpointHold.RunAsync(
                    connection,
                    CheckpointSql.Refer,
                    token,
                    CheckpointRows.Value(id.Value),
                    CheckpointRows.Hashes(hashes)
                );
                await CheckpointHold.RunAsync(
                    connection,
                    CheckpointSql.InsertChunks,
                    token,
                    CheckpointRows.Hashes(hashes),
                    CheckpointRows.Value(sorted.Select(chunk => chunk.Data.Length).ToArray()),
                    CheckpointRows.Value(sorted.Select(chunk => chunk.Data.ToArray()).ToArray())
                );
                await CheckpointHold.RunAsync(connection, CheckpointSql.Touch, token, CheckpointRows.Value(id.Value));
                return true;
            },
            isOpen => isOpen,
            cancellationToken
        );
    }

    public async Task<bool> CloseAsync(RoundRun run, RoundResult result, CancellationToken cancellationToken)
    {
        var closed = await connections.TransactAsync(
            (connection, token) => CloseAsync(connection, run, result, token),
            isClosed => isClosed,
            cancellationToken
        );
        if (!closed && result.Next is { } unused)
        {
            await connections.UseAsync(
                async (connection, token) =>
                {
                    await using var giveUp = CheckpointConnections.Command(
                        connection,
                        RoundSql.GiveUp,
                        CheckpointRows.Value(unused.Checkpoint.Value)
                    );
                    return await giveUp.ExecuteNonQueryAsync(token);
                },
                cancellationToken
            );
        }
        return closed;
    }

    private static async Task<bool> CloseAsync(
        NpgsqlConnection connection,
        RoundRun run,
        RoundResult result,
        CancellationToken token
    )
    {
        var job = run.Job;
        var now = await RoundRows.ReadAsync(connection, RoundSql.Lock, token, CheckpointRows.Value(job.Value));
        if (now is null || now.State.Round != run.State.Round || now.State.Phase != RoundPhase.Closing)
            return false;
        if (result.Next is { } next && !await SetBaseAsync(connection, now, next, result, token))
            return false;
        var (state, applied) = RoundMachine.Close(
            now.State,
            result.Dropped.Keys.ToHashSet(),
            result.Next is { } made ? OuterTensors.HashOf(OuterTensors.WeightsOf(made.Manifest)) : now.State.Base,
            now.Now
        );
        await RoundRows.SaveAsync(connection, job, state, token);
        await CheckpointHold.RunAsync(
            connection,
            RoundSql.Apply,
            token,
            CheckpointRows.Value(job.Value),
            CheckpointRows.Value(applied.ToArray()),
            CheckpointRows.Value(now.State.Round)
        );
        await NoteAsync(connection, now, result, token);
        await CheckpointHold.RunAsync(connection, RoundSql.DropDeltas, token, CheckpointRows.Value(job.Value));
        return true;
    }

    private static async Task<bool> SetBaseAsync(
        NpgsqlConnection connection,
        RoundRun run,
        NewBase next,
        RoundResult result,
        CancellationToken token
    )
    {
        var id = next.Checkpoint;
        await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksShared, token);
        if (!await IsOpenAsync(connection, id, token))
            return false;
        var filled = await CheckpointSeal.FillAsync(connection, id, next.Manifest, token);
        if (filled.Refusal is not null)
            throw new InvalidOperationException($"The base of round {run.State.Round + 1}: {filled.Detail}");
        await CheckpointHold.RunAsync(
            connection,
            RoundSql.CompleteBase,
            token,
            CheckpointRows.Value(id.Value),
            CheckpointRows.Value(next.Manifest.Tensors.Sum(tensor => tensor.SizeBytes)),
            CheckpointRows.Value(filled.Value),
            CheckpointRows.Json(
                new Dictionary<string, double>
                {
                    ["round"] = run.State.Round,
                    ["tokens"] = Kept(run, result).Sum(one => one.Tokens),
                    ["delta_norm"] = result.Norm,
                    ["train_loss"] = LossOf([.. Kept(run, result)])!.Value,
                }
            ),
            CheckpointRows.Json(next.Manifest.Metadata)
        );
        await CheckpointHold.RunAsync(
            connection,
            RoundSql.SetBase,
            token,
            CheckpointRows.Value(run.Job.Value),
            CheckpointRows.Value(id.Value)
        );
        return true;
    }

    private static Task NoteAsync(
        NpgsqlConnection connection,
        RoundRun run,
        RoundResult result,
        CancellationToken token
    )
    {
        RoundContribution[] kept = [.. Kept(run, result)];
        var dropped = run
            .State.Contributions.Where(one => result.Dropped.ContainsKey(one.Delta))
            .Select(one => new { one.Member, Why = result.Dropped[one.Delta] });
        return CheckpointHold.RunAsync(
            connection,
            RoundSql.Note,
            token,
            CheckpointRows.Value(run.Job.Value),
            CheckpointRows.Value(run.State.Round),
            CheckpointRows.Uuid(result.Next?.Checkpoint.Value),
            CheckpointRows.Value(kept.Sum(one => one.Tokens)),
            CheckpointRows.Value(kept.Length),
            CheckpointRows.Value(result.Norm),
            RoundRows.Json(dropped),
            CheckpointRows.Value(LossOf(kept)),
            CheckpointRows.Value(kept.Sum(one => one.Microshards.Count))
        );
    }

    /// <summary>Mean over the tokens; null of none.</summary>
    private static double? LossOf(RoundContribution[] kept) =>
        kept.Length == 0 ? null : kept.Sum(one => one.Tokens * one.Loss) / kept.Sum(one => one.Tokens);

    private static IEnumerable<RoundContribution> Kept(RoundRun run, RoundResult result) =>
        run.State.Contributions.Where(one => !result.Dropped.ContainsKey(one.Delta));

    private Task<RoundPhase?> TickAsync(JobId job, CancellationToken cancellationToken) =>
        connections.TransactAsync<RoundPhase?>(
            async (connection, token) =>
            {
                var run = await RoundRows.ReadAsync(connection, RoundSql.Lock, token, CheckpointRows.Value(job.Value));
                if (run is null)
                    return null;
                var live = await RoundRows.LiveAsync(connection, job, token);
                var state = RoundMachine.Tick(run.State, live, run.Now);
                if (!ReferenceEquals(state, run.State))
                    await RoundRows.SaveAsync(connection, job, state, token);
                return state.Phase;
            },
            _ => true,
            cancellationToken
        );

    private static Task<List<(JobId Job, RoundPhase Phase)>> ActiveAsync(
        NpgsqlConnection connection,
        CancellationToken token
    ) =>
        RoundRows.ListAsync(
            connection,
            RoundSql.Active,
            row => (new JobId(row.GetGuid(0)), (RoundPhase)row.GetInt16(1)),
            token,
            CheckpointRows.Value(Limits.ActiveRuns)
        );

    private static async Task<bool> IsOpenAsync(NpgsqlConnection connection, CheckpointId id, CancellationToken token)
    {
        await using var hold = CheckpointConnections.Command(
            connection,
            RoundSql.HoldBase,
            CheckpointRows.Value(id.Value)
        );
        return await hold.ExecuteScalarAsync(token) is true;
    }
}
