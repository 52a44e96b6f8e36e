using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>
/// Chunks on their way in: announced, then a batch at a time by binary COPY straight into the keyed table, in the order of
/// their hashes, in which all writers take their locks. Where one of them is there already, the COPY fails as a whole, and
/// the batch is inserted again with conflicts passed over.
/// </summary>
internal sealed class ChunkWriter(CheckpointConnections connections)
{
    public Task<CheckpointOutcome<IReadOnlyList<ChunkHash>>> AnnounceAsync(
        CheckpointWriter writer,
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    ) =>
        connections.TransactAsync(
            (connection, token) => AnnounceAsync(connection, writer, [.. hashes.Order()], token),
            outcome => outcome.Refusal is null,
            cancellationToken
        );

    public async Task<CheckpointOutcome<int>> StoreAsync(
        CheckpointWriter writer,
        IReadOnlyList<Chunk> chunks,
        CancellationToken cancellationToken
    )
    {
        Chunk[] sorted = [.. chunks.OrderBy(chunk => chunk.Hash)];
        try
        {
            return await StoreAsync(writer, sorted, CopyAsync, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return await StoreAsync(writer, sorted, InsertAsync, cancellationToken);
        }
    }

    private static async Task<CheckpointOutcome<IReadOnlyList<ChunkHash>>> AnnounceAsync(
        NpgsqlConnection connection,
        CheckpointWriter writer,
        ChunkHash[] hashes,
        CancellationToken cancellationToken
    )
    {
        await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksShared, cancellationToken);
        if (await CheckpointHold.TakeAsync(connection, writer, cancellationToken) is { } refusal)
            return CheckpointHold.Refuse<IReadOnlyList<ChunkHash>>(refusal);
        var id = writer.Id.Value;
        await CheckpointHold.RunAsync(
            connection,
            CheckpointSql.Refer,
            cancellationToken,
            CheckpointRows.Value(id),
            CheckpointRows.Hashes(hashes)
        );
        await using var count = CheckpointConnections.Command(
            connection,
            CheckpointSql.CountReferences,
            CheckpointRows.Value(id)
        );
        if ((int)(await count.ExecuteScalarAsync(cancellationToken))! > CheckpointLimits.Chunks)
            return CheckpointOutcome.Refused<IReadOnlyList<ChunkHash>>(
                CheckpointRefusal.TooMany,
                $"A checkpoint has at most {CheckpointLimits.Chunks} chunks."
            );
        await CheckpointHold.RunAsync(connection, CheckpointSql.Touch, cancellationToken, CheckpointRows.Value(id));
        var missing = new List<ChunkHash>();
        await using var find = CheckpointConnections.Command(
            connection,
            CheckpointSql.Missing,
            CheckpointRows.Hashes(hashes)
        );
        await using var rows = await find.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            missing.Add(ChunkHash.Read(rows.GetFieldValue<byte[]>(0)));
        return CheckpointOutcome.Of<IReadOnlyList<ChunkHash>>(missing);
    }

    private Task<CheckpointOutcome<int>> StoreAsync(
        CheckpointWriter writer,
        Chunk[] chunks,
        Func<NpgsqlConnection, Chunk[], CancellationToken, Task<int>> write,
        CancellationToken cancellationToken
    ) =>
        connections.TransactAsync(
            async (connection, token) =>
            {
                return await BeginAsync(connection, writer, chunks, token) is { } refused
                    ? refused
                    : CheckpointOutcome.Of<int>(await write(connection, chunks, token));
            },
            outcome => outcome.Refusal is null,
            cancellationToken
        );

    /// <summary>All that precedes the chunks, in one round trip; why they must not be written, or null.</summary>
    private static async Task<CheckpointOutcome<int>?> BeginAsync(
        NpgsqlConnection connection,
        CheckpointWriter writer,
        Chunk[] chunks,
        CancellationToken cancellationToken
    )
    {
        var id = writer.Id.Value;
        await using var batch = new NpgsqlBatch(connection);
        Add(CheckpointSql.CommitLater);
        Add(CheckpointSql.Hold, CheckpointRows.Value(id), CheckpointRows.Value(writer.Node.Value));
        Add(
            CheckpointSql.Unannounced,
            CheckpointRows.Value(id),
            CheckpointRows.Hashes(chunks.Select(chunk => chunk.Hash))
        );
        Add(CheckpointSql.Touch, CheckpointRows.Value(id));
        await using var results = await batch.ExecuteReaderAsync(cancellationToken);
        var held = await results.ReadAsync(cancellationToken) ? results.GetBoolean(0) : (bool?)null;
        if (CheckpointHold.RefusalOf(held) is { } refusal)
            return CheckpointHold.Refuse<int>(refusal);
        await results.NextResultAsync(cancellationToken);
        await results.ReadAsync(cancellationToken);
        return results.GetInt32(0) is > 0 and var unknown
            ? CheckpointOutcome.Refused<int>(
                CheckpointRefusal.Unannounced,
                $"{unknown} of these chunks were not announced."
            )
            : null;

        void Add(string sql, params NpgsqlParameter[] parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddRange(parameters);
            batch.BatchCommands.Add(command);
        }
    }

    private static async Task<int> CopyAsync(
        NpgsqlConnection connection,
        Chunk[] chunks,
        CancellationToken cancellationToken
    )
    {
        await using var copy = await connection.BeginBinaryImportAsync(CheckpointSql.CopyChunks, cancellationToken);
        foreach (var chunk in chunks)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(chunk.Hash.ToArray(), NpgsqlDbType.Bytea, cancellationToken);
            await copy.WriteAsync(chunk.Data.Length, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(chunk.Data, NpgsqlDbType.Bytea, cancellationToken);
        }
        return (int)await copy.CompleteAsync(cancellationToken);
    }

    private static async Task<int> InsertAsync(
        NpgsqlConnection connection,
        Chunk[] chunks,
        CancellationToken cancellationToken
    )
    {
        await using var insert = CheckpointConnections.Command(
            connection,
            CheckpointSql.InsertChunks,
            CheckpointRows.Hashes(chunks.Select(chunk => chunk.Hash)),
            CheckpointRows.Value(chunks.Select(chunk => chunk.Data.Length).ToArray()),
            CheckpointRows.Value(chunks.Select(chunk => chunk.Data.ToArray()).ToArray())
        );
        return await insert.ExecuteNonQueryAsync(cancellationToken);
    }
}
