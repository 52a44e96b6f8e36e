using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>The checkpoint store on Postgres, beside the ledger, whose leases fence its writers.</summary>
public sealed class PostgresCheckpoints : ICheckpointStore, IAsyncDisposable
{
    private readonly CheckpointConnections connections;
    private readonly TimeProvider time;
    private readonly ChunkWriter chunks;
    private readonly CheckpointSeal seal;
    private readonly ChunkReader reader;
    private readonly CheckpointExaminer examiner;
    private readonly CheckpointCollection collection;

    /// <param name="connectionString">A database migrated by <see cref="Migrator"/>.</param>
    /// <param name="time">For new ids only; ages are the database's.</param>
    public PostgresCheckpoints(string connectionString, TimeProvider time, ILoggerFactory loggers)
    {
        this.time = time;
        connections = new CheckpointConnections(connectionString, loggers);
        chunks = new ChunkWriter(connections);
        seal = new CheckpointSeal(connections);
        reader = new ChunkReader(connections);
        examiner = new CheckpointExaminer(connections);
        collection = new CheckpointCollection(connections);
    }

    public async Task<bool> IsCurrentAsync(
        ShardId shard,
        int epoch,
        NodeId node,
        CancellationToken cancellationToken
    ) =>
        (
            await QueryAsync(
                CheckpointSql.IsCurrent,
                row => row.GetBoolean(0),
                cancellationToken,
                CheckpointRows.Value(shard.Job.Value),
                CheckpointRows.Value(shard.Number),
                CheckpointRows.Value(epoch),
                CheckpointRows.Value(node.Value)
            )
        ).Single();

    public async Task<CheckpointOutcome<CheckpointId>> OpenAsync(
        CheckpointDraft draft,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(draft);
        var id = CheckpointId.New(time.GetUtcNow());
        var (job, shard) = (draft.Shard.Job.Value, draft.Shard.Number);
        var opened = await connections.TransactAsync(
            async (connection, token) =>
            {
                await using var open = CheckpointConnections.Command(
                    connection,
                    CheckpointSql.Open,
                    CheckpointRows.Value(id.Value),
                    CheckpointRows.Value(job),
                    CheckpointRows.Value(shard),
                    CheckpointRows.Value(draft.Epoch),
                    CheckpointRows.Value(draft.Node.Value),
                    CheckpointRows.Uuid(draft.Parent?.Value),
                    CheckpointRows.Value(draft.Step)
                );
                if (await open.ExecuteNonQueryAsync(token) == 0)
                    return false;
                await CheckpointHold.RunAsync(
                    connection,
                    CheckpointSql.GiveUpOlder,
                    token,
                    CheckpointRows.Value(job),
                    CheckpointRows.Value(shard)
                );
                return true;
            },
            isDone => isDone,
            cancellationToken
        );
        return opened
            ? CheckpointOutcome.Of<CheckpointId>(id)
            : CheckpointHold.Refuse<CheckpointId>(CheckpointRefusal.Fenced);
    }

    public Task<CheckpointOutcome<IReadOnlyList<ChunkHash>>> AnnounceAsync(
        CheckpointWriter writer,
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(hashes);
        if (hashes.Count > CheckpointLimits.HashesPerAnnouncement)
            throw new ArgumentException("More hashes than one announcement holds.", nameof(hashes));
        return chunks.AnnounceAsync(writer, hashes, cancellationToken);
    }

    public Task<CheckpointOutcome<int>> StoreAsync(
        CheckpointWriter writer,
        IReadOnlyList<Chunk> chunks,
        CancellationToken cancellationToken
    ) => this.chunks.StoreAsync(writer, chunks, cancellationToken);

    public Task<CheckpointOutcome<CheckpointRecord>> CompleteAsync(
        CheckpointWriter writer,
        Manifest manifest,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    ) => seal.CompleteAsync(writer, manifest, metrics, cancellationToken);

    public async Task<CheckpointRecord?> FindAsync(CheckpointId id, CancellationToken cancellationToken) =>
        (await QueryAsync(CheckpointSql.Find, CheckpointRows.Checkpoint, cancellationToken, Id(id))).FirstOrDefault();

    public async Task<IReadOnlyList<CheckpointRecord>> ListAsync(
        CheckpointPage page,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(page);
        return await QueryAsync(
            CheckpointSql.List,
            CheckpointRows.Checkpoint,
            cancellationToken,
            CheckpointRows.Uuid(page.Job?.Value),
            CheckpointRows.Uuid(page.After?.Value),
            CheckpointRows.Value(Math.Min(page.Limit, Limits.LedgerPageRowsMax))
        );
    }

    public async Task<Manifest?> ReadManifestAsync(CheckpointId id, CancellationToken cancellationToken)
    {
        var tensors = await QueryAsync(CheckpointSql.ReadManifest, CheckpointRows.Tensor, cancellationToken, Id(id));
        if (tensors.Count == 0)
            return null;
        var metadata = await QueryAsync(CheckpointSql.ReadMetadata, CheckpointRows.Metadata, cancellationToken, Id(id));
        return metadata.Count == 0 ? null : new Manifest(tensors) { Metadata = metadata[0] };
    }

    public async Task<LatestCheckpoint?> FindLatestAsync(ShardId shard, CancellationToken cancellationToken)
    {
        var newest = await QueryAsync(
            CheckpointSql.OfShard,
            CheckpointRows.Checkpoint,
            cancellationToken,
            CheckpointRows.Value(shard.Job.Value),
            CheckpointRows.Value(shard.Number),
            CheckpointRows.Value(Limits.CheckpointsPerShard)
        );
        var latest = newest.Find(checkpoint => checkpoint.State == CheckpointState.Complete);
        return latest is null
            ? null
            : new LatestCheckpoint(latest, [.. newest.TakeWhile(checkpoint => checkpoint.Id != latest.Id)]);
    }

    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    ) => reader.ReadAsync(hashes, cancellationToken);

    public Task<CheckpointVerdict?> VerifyAsync(CheckpointId id, CancellationToken cancellationToken) =>
        examiner.VerifyAsync(id, cancellationToken);

    public async Task<CheckpointRecord?> BranchAsync(CheckpointId from, ShardId to, CancellationToken cancellationToken)
    {
        var id = CheckpointId.New(time.GetUtcNow());
        var made = await connections.TransactAsync(
            async (connection, token) =>
            {
                await using var branch = CheckpointConnections.Command(
                    connection,
                    CheckpointSql.Branch,
                    Id(id),
                    Id(from),
                    CheckpointRows.Value(to.Job.Value),
                    CheckpointRows.Value(to.Number)
                );
                if (await branch.ExecuteNonQueryAsync(token) == 0)
                    return false;
                foreach (var sql in CheckpointSql.BranchContent)
                    await CheckpointHold.RunAsync(connection, sql, token, Id(id), Id(from));
                return true;
            },
            isDone => isDone,
            cancellationToken
        );
        return made ? await FindAsync(id, cancellationToken) : null;
    }

    public Task<CollectionPass> CollectAsync(CheckpointRules rules, CancellationToken cancellationToken) =>
        collection.RunAsync(rules, cancellationToken);

    public ValueTask DisposeAsync() => connections.DisposeAsync();

    private static NpgsqlParameter Id(CheckpointId id) => CheckpointRows.Value(id.Value);

    private Task<List<T>> QueryAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    ) =>
        connections.UseAsync(
            async (connection, token) =>
            {
                var values = new List<T>();
                await using var command = CheckpointConnections.Command(connection, sql, parameters);
                await using var rows = await command.ExecuteReaderAsync(token);
                while (await rows.ReadAsync(token))
                    values.Add(read(rows));
                return values;
            },
            cancellationToken
        );
}
