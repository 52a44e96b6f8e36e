using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Retention and garbage collection, each in bounded transactions, so that writers go on beside it.</summary>
internal sealed class CheckpointCollection(CheckpointConnections connections)
{
    public async Task<CollectionPass> RunAsync(CheckpointRules rules, CancellationToken cancellationToken)
    {
        var forgotten = await RepeatAsync(RetireForgottenAsync, cancellationToken);
        var retired = forgotten + await RetireAsync(rules, cancellationToken);
        var dropped = await RepeatAsync((connection, token) => DropAsync(connection, rules, token), cancellationToken);
        while (await ForgetOneAsync(cancellationToken)) { }
        var (chunks, bytes) = await RemoveChunksAsync(cancellationToken);
        return new CollectionPass(retired, dropped, chunks, bytes);
    }

    private async Task<int> RetireAsync(CheckpointRules rules, CancellationToken cancellationToken)
    {
        var retired = 0;
        for (var at = (Job: Guid.Empty, Shard: -1); ; )
        {
            var next = await connections.TransactAsync(
                (connection, token) => RetireNextAsync(connection, at, rules, token),
                _ => true,
                cancellationToken
            );
            if (next is not { } done)
                return retired;
            at = (done.Job, done.Shard);
            retired += done.Retired;
        }
    }

    private static async Task<int> RetireForgottenAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var retire = CheckpointConnections.Command(
            connection,
            CollectionSql.RetireForgotten,
            CheckpointRows.Value(Limits.CheckpointsPerDrop)
        );
        return await retire.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<(Guid Job, int Shard, int Retired)?> RetireNextAsync(
        NpgsqlConnection connection,
        (Guid Job, int Shard) after,
        CheckpointRules rules,
        CancellationToken cancellationToken
    )
    {
        (Guid Job, int Shard) shard;
        await using (
            var find = CheckpointConnections.Command(
                connection,
                CollectionSql.NextShard,
                CheckpointRows.Value(after.Job),
                CheckpointRows.Value(after.Shard)
            )
        )
        await using (var row = await find.ExecuteReaderAsync(cancellationToken))
        {
            if (!await row.ReadAsync(cancellationToken))
                return null;
            shard = (row.GetGuid(0), row.GetInt32(1));
        }
        var checkpoints = new List<CheckpointRecord>();
        await using (
            var list = CheckpointConnections.Command(
                connection,
                CheckpointSql.OfShard,
                CheckpointRows.Value(shard.Job),
                CheckpointRows.Value(shard.Shard),
                CheckpointRows.Value(Limits.CheckpointsPerShard)
            )
        )
        await using (var rows = await list.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken))
                checkpoints.Add(CheckpointRows.Checkpoint(rows));
        }
        var ids = CheckpointRetention.Retire(checkpoints, rules).Select(checkpoint => checkpoint.Value).ToArray();
        if (ids.Length == 0)
            return (shard.Job, shard.Shard, 0);
        await using var retire = CheckpointConnections.Command(
            connection,
            CollectionSql.Retire,
            CheckpointRows.Value(ids)
        );
        return (shard.Job, shard.Shard, await retire.ExecuteNonQueryAsync(cancellationToken));
    }

    private static async Task<int> DropAsync(
        NpgsqlConnection connection,
        CheckpointRules rules,
        CancellationToken cancellationToken
    )
    {
        await using var drop = CheckpointConnections.Command(
            connection,
            CollectionSql.Drop,
            CheckpointRows.Value(rules.Grace),
            CheckpointRows.Value(Limits.CheckpointsPerDrop)
        );
        return await drop.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Removes the references of one dropped checkpoint, a batch at a time, and then itself. False: there is none.</summary>
    private async Task<bool> ForgetOneAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var left = await connections.TransactAsync(UnreferAsync, _ => true, cancellationToken);
            if (left is null)
                return false;
            if (left == 0)
                return true;
        }
    }

    /// <summary>How many references were removed; 0: there was none left, and the checkpoint is gone. Null: no checkpoint.</summary>
    private static async Task<int?> UnreferAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var find = CheckpointConnections.Command(connection, CollectionSql.Dropped);
        if (await find.ExecuteScalarAsync(cancellationToken) is not Guid id)
            return null;
        await using var unrefer = CheckpointConnections.Command(
            connection,
            CollectionSql.Unrefer,
            CheckpointRows.Value(id),
            CheckpointRows.Value(Limits.CheckpointReferencesPerDrop)
        );
        var removed = (int)(await unrefer.ExecuteScalarAsync(cancellationToken))!;
        if (removed == 0)
        {
            foreach (var sql in CollectionSql.Forget)
                await CheckpointHold.RunAsync(connection, sql, cancellationToken, CheckpointRows.Value(id));
        }
        return removed;
    }

    private async Task<(int Chunks, long Bytes)> RemoveChunksAsync(CancellationToken cancellationToken)
    {
        var (chunks, bytes) = (0, 0L);
        while (true)
        {
            var (looked, removed, size) = await connections.TransactAsync(
                RemoveBatchAsync,
                _ => true,
                cancellationToken
            );
            chunks += removed;
            bytes += size;
            if (looked < Limits.CheckpointChunksPerRemoval)
                return (chunks, bytes);
        }
    }

    private static async Task<(int Looked, int Removed, long Bytes)> RemoveBatchAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksAlone, cancellationToken);
        await using var remove = CheckpointConnections.Command(
            connection,
            CollectionSql.RemoveChunks,
            CheckpointRows.Value(Limits.CheckpointChunksPerRemoval)
        );
        await using var row = await remove.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt32(0), row.GetInt32(1), row.GetInt64(2));
    }

    private async Task<int> RepeatAsync(
        Func<NpgsqlConnection, CancellationToken, Task<int>> work,
        CancellationToken cancellationToken
    )
    {
        for (var all = 0; ; )
        {
            var done = await connections.TransactAsync(work, _ => true, cancellationToken);
            all += done;
            if (done < Limits.CheckpointsPerDrop)
                return all;
        }
    }
}
