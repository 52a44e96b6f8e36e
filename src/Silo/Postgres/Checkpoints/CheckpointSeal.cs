using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Makes a checkpoint complete: its chunks are compared with its manifest, which is stored with it, in one transaction.</summary>
internal sealed class CheckpointSeal(CheckpointConnections connections)
{
    public Task<CheckpointOutcome<CheckpointRecord>> CompleteAsync(
        CheckpointWriter writer,
        Manifest manifest,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    )
    {
        var fault = ManifestRules.Fault(manifest) ?? ManifestRules.Fault(metrics);
        return fault is null
            ? connections.TransactAsync(
                (connection, token) => SealAsync(connection, writer, manifest, metrics, token),
                outcome => outcome.Refusal is null,
                cancellationToken
            )
            : Task.FromResult(Refused(CheckpointRefusal.Invalid, $"The checkpoint is not valid: {fault}."));
    }

    private static async Task<CheckpointOutcome<CheckpointRecord>> SealAsync(
        NpgsqlConnection connection,
        CheckpointWriter writer,
        Manifest manifest,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    )
    {
        // Nobody takes a wrong chunk away between the look at it and the commit.
        await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksShared, cancellationToken);
        if (await CheckpointHold.TakeAsync(connection, writer, cancellationToken) is { } refusal)
            return CheckpointHold.Refuse<CheckpointRecord>(refusal);
        var chunks = await FillAsync(connection, writer.Id, manifest, cancellationToken);
        if (chunks.Refusal is { } wrong)
            return Refused(wrong, chunks.Detail);
        await using var complete = CheckpointConnections.Command(
            connection,
            CheckpointSql.Complete,
            CheckpointRows.Value(writer.Id.Value),
            CheckpointRows.Value(writer.Node.Value),
            CheckpointRows.Value(manifest.Tensors.Sum(tensor => tensor.SizeBytes)),
            CheckpointRows.Value(chunks.Value),
            CheckpointRows.Json(metrics),
            CheckpointRows.Json(manifest.Metadata)
        );
        if (await complete.ExecuteNonQueryAsync(cancellationToken) == 0)
            return CheckpointHold.Refuse<CheckpointRecord>(CheckpointRefusal.Fenced);
        await using var find = CheckpointConnections.Command(
            connection,
            CheckpointSql.Find,
            CheckpointRows.Value(writer.Id.Value)
        );
        await using var row = await find.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return CheckpointOutcome.Of<CheckpointRecord>(CheckpointRows.Checkpoint(row));
    }

    /// <summary>
    /// Stores the manifest of an open checkpoint that is locked, if its chunks are what it says; returns how many they are.
    /// The caller holds the shared lock of the chunks.
    /// </summary>
    public static async Task<CheckpointOutcome<int>> FillAsync(
        NpgsqlConnection connection,
        CheckpointId id,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var sizes = await ReadSizesAsync(connection, id, cancellationToken);
        if (Compare(manifest, sizes) is { } wrong)
            return CheckpointOutcome.Refused<int>(wrong.Refusal!.Value, wrong.Detail);
        await StoreAsync(connection, id, manifest, cancellationToken);
        return CheckpointOutcome.Of<int>(sizes.Count);
    }

    private static async Task<Dictionary<ChunkHash, int?>> ReadSizesAsync(
        NpgsqlConnection connection,
        CheckpointId id,
        CancellationToken cancellationToken
    )
    {
        var sizes = new Dictionary<ChunkHash, int?>();
        await using var command = CheckpointConnections.Command(
            connection,
            CheckpointSql.ReferredSizes,
            CheckpointRows.Value(id.Value)
        );
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var hash = ChunkHash.Read(rows.GetFieldValue<byte[]>(0));
            sizes.Add(hash, rows.IsDBNull(1) ? null : rows.GetInt32(1));
        }
        return sizes;
    }

    /// <summary>Why the manifest cannot be that of these chunks; null when it can.</summary>
    private static CheckpointOutcome<CheckpointRecord>? Compare(Manifest manifest, Dictionary<ChunkHash, int?> sizes)
    {
        var named = new HashSet<ChunkHash>();
        foreach (var tensor in manifest.Tensors)
        {
            for (var i = 0; i < tensor.ChunkCount; i++)
            {
                var hash = tensor.HashOf(i);
                named.Add(hash);
                if (!sizes.TryGetValue(hash, out var size))
                    return Refused(CheckpointRefusal.Unannounced, $"Chunk {i} of {tensor.Name} was not announced.");
                if (size is not null && size != tensor.SizeOf(i))
                    return Refused(
                        CheckpointRefusal.Invalid,
                        $"Chunk {i} of {tensor.Name} has {size} bytes, not {tensor.SizeOf(i)}."
                    );
            }
        }
        if (named.Count < sizes.Count)
            return Refused(
                CheckpointRefusal.Invalid,
                $"{sizes.Count - named.Count} announced chunks are not in the manifest."
            );
        var missing = sizes.Count(chunk => chunk.Value is null);
        return missing > 0 ? Refused(CheckpointRefusal.Incomplete, $"{missing} chunks are not stored.") : null;
    }

    private static async Task StoreAsync(
        NpgsqlConnection connection,
        CheckpointId id,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        await using var copy = await connection.BeginBinaryImportAsync(CheckpointSql.CopyManifest, cancellationToken);
        for (var nth = 0; nth < manifest.Tensors.Count; nth++)
        {
            var tensor = manifest.Tensors[nth];
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(id.Value, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(nth, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(tensor.Name, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync((short)tensor.Type, NpgsqlDbType.Smallint, cancellationToken);
            await copy.WriteAsync(tensor.Shape.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(tensor.SizeBytes, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(tensor.ChunkBytes, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(tensor.Hashes, NpgsqlDbType.Bytea, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }

    private static CheckpointOutcome<CheckpointRecord> Refused(CheckpointRefusal refusal, string detail) =>
        CheckpointOutcome.Refused<CheckpointRecord>(refusal, detail);
}
