using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Chunks on their way out: a row after the other through one buffer, however many are asked for.</summary>
internal sealed class ChunkReader(CheckpointConnections connections)
{
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IReadOnlyList<ChunkHash> hashes,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var buffer = new byte[CheckpointLimits.ChunkBytesMax];
        await using var connection = await OpenAsync(cancellationToken);
        foreach (var window in hashes.Chunk(Limits.CheckpointChunksPerRead))
        {
            await using var command = CheckpointConnections.Command(
                connection,
                CheckpointSql.ReadChunks,
                CheckpointRows.Hashes(window)
            );
            await using var rows = await command.ExecuteReaderAsync(
                System.Data.CommandBehavior.SequentialAccess,
                cancellationToken
            );
            while (await NextAsync(rows, cancellationToken))
                yield return await FillAsync(rows, buffer, cancellationToken);
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await connections.OpenAsync(cancellationToken);
        }
        catch (NpgsqlException e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private static async Task<bool> NextAsync(NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        try
        {
            return await rows.ReadAsync(cancellationToken);
        }
        catch (NpgsqlException e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> FillAsync(
        NpgsqlDataReader row,
        byte[] buffer,
        CancellationToken cancellationToken
    )
    {
        var hash = ChunkHash.Read(row.GetFieldValue<byte[]>(0));
        if (await row.IsDBNullAsync(1, cancellationToken))
            throw new ChunkMissingException(hash);
        await using var data = await row.GetStreamAsync(1, cancellationToken);
        var length = await data.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return buffer.AsMemory(0, length);
    }
}
