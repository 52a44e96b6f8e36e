using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Compares the chunks of a checkpoint with their hashes, in the database, and judges it by what is found.</summary>
internal sealed class CheckpointExaminer(CheckpointConnections connections)
{
    public async Task<CheckpointVerdict?> VerifyAsync(CheckpointId id, CancellationToken cancellationToken)
    {
        var count = 0;
        var damaged = new List<ChunkHash>();
        var last = default(ChunkHash?);
        while (true)
        {
            var hashes = await ReferencesAsync(id, last, cancellationToken);
            if (hashes.Count == 0)
                break;
            count += hashes.Count;
            last = hashes[^1];
            damaged.AddRange(await CompareAsync(hashes, cancellationToken));
        }
        return await JudgeAsync(id, damaged, cancellationToken) is { } record
            ? new CheckpointVerdict(record, count, damaged)
            : null;
    }

    private Task<List<ChunkHash>> ReferencesAsync(
        CheckpointId id,
        ChunkHash? after,
        CancellationToken cancellationToken
    ) =>
        connections.UseAsync(
            async (connection, token) =>
            {
                await using var command = CheckpointConnections.Command(
                    connection,
                    CheckpointSql.References,
                    CheckpointRows.Value(id.Value),
                    CheckpointRows.Value(after?.ToArray() ?? []),
                    CheckpointRows.Value(Limits.CheckpointChunksPerExamination)
                );
                return await ReadAsync(command, _ => true, token);
            },
            cancellationToken
        );

    /// <summary>Those that are missing or wrong. A chunk that the server itself cannot read is wrong too: then each is asked for alone.</summary>
    private async Task<List<ChunkHash>> CompareAsync(List<ChunkHash> hashes, CancellationToken cancellationToken)
    {
        try
        {
            return await connections.UseAsync(
                async (connection, token) =>
                {
                    await using var command = CheckpointConnections.Command(
                        connection,
                        CheckpointSql.Compare,
                        CheckpointRows.Hashes(hashes)
                    );
                    return await ReadAsync(command, row => row.IsDBNull(1) || !row.GetBoolean(1), token);
                },
                cancellationToken
            );
        }
        catch (PostgresException e) when (IsCorruption(e))
        {
            if (hashes.Count == 1)
                return hashes;
            var damaged = new List<ChunkHash>();
            foreach (var hash in hashes)
                damaged.AddRange(await CompareAsync([hash], cancellationToken));
            return damaged;
        }
    }

    private Task<CheckpointRecord?> JudgeAsync(
        CheckpointId id,
        List<ChunkHash> damaged,
        CancellationToken cancellationToken
    ) =>
        connections.TransactAsync(
            async (connection, token) =>
            {
                var (from, to) =
                    damaged.Count > 0
                        ? (CheckpointState.Complete, CheckpointState.Damaged)
                        : (CheckpointState.Damaged, CheckpointState.Complete);
                if (damaged.Count > 0)
                {
                    await CheckpointHold.RunAsync(connection, CheckpointSql.LockChunksAlone, token);
                    await CheckpointHold.RunAsync(
                        connection,
                        CheckpointSql.RemoveWrong,
                        token,
                        CheckpointRows.Hashes(damaged)
                    );
                }
                await CheckpointHold.RunAsync(
                    connection,
                    CheckpointSql.Judge,
                    token,
                    CheckpointRows.Value(id.Value),
                    CheckpointRows.Value((short)from),
                    CheckpointRows.Value((short)to)
                );
                await using var find = CheckpointConnections.Command(
                    connection,
                    CheckpointSql.Find,
                    CheckpointRows.Value(id.Value)
                );
                await using var row = await find.ExecuteReaderAsync(token);
                return await row.ReadAsync(token) ? CheckpointRows.Checkpoint(row) : null;
            },
            _ => true,
            cancellationToken
        );

    private static async Task<List<ChunkHash>> ReadAsync(
        NpgsqlCommand command,
        Func<NpgsqlDataReader, bool> isWanted,
        CancellationToken cancellationToken
    )
    {
        var hashes = new List<ChunkHash>();
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            if (isWanted(rows))
                hashes.Add(ChunkHash.Read(rows.GetFieldValue<byte[]>(0)));
        }
        return hashes;
    }

    private static bool IsCorruption(PostgresException error) =>
        error.SqlState.StartsWith("XX", StringComparison.Ordinal);
}
