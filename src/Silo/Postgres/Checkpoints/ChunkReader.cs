using System.Data;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Chunks on their way out: the next ones are read while one is used, through a few buffers, however many are asked for.</summary>
internal sealed class ChunkReader(CheckpointConnections connections)
{
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IReadOnlyList<ChunkHash> hashes,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var free = Channel.CreateUnbounded<byte[]>();
        for (var i = 0; i < Limits.CheckpointChunksReadAhead; i++)
            free.Writer.TryWrite(new byte[CheckpointLimits.ChunkBytesMax]);
        var read = Channel.CreateUnbounded<(byte[] Buffer, int Length)>();
        var reading = ReadAsync(hashes, free.Reader, read.Writer, stop.Token);
        try
        {
            // Ends with what the reading ended with.
            await foreach (var (buffer, length) in read.Reader.ReadAllAsync(cancellationToken))
            {
                yield return buffer.AsMemory(0, length);
                free.Writer.TryWrite(buffer);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading;
        }
    }

    /// <summary>Never throws: how it ended is told to who takes the chunks.</summary>
    private async Task ReadAsync(
        IReadOnlyList<ChunkHash> hashes,
        ChannelReader<byte[]> free,
        ChannelWriter<(byte[] Buffer, int Length)> read,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await connections.UseAsync(
                async (connection, token) =>
                {
                    foreach (var window in hashes.Chunk(Limits.CheckpointChunksPerRead))
                        await ReadAsync(connection, window, free, read, token);
                    return true;
                },
                cancellationToken
            );
            read.Complete();
        }
        catch (Exception e) when (read.TryComplete(e))
        {
            // Told.
        }
    }

    private static async Task ReadAsync(
        NpgsqlConnection connection,
        ChunkHash[] hashes,
        ChannelReader<byte[]> free,
        ChannelWriter<(byte[] Buffer, int Length)> read,
        CancellationToken cancellationToken
    )
    {
        await using var command = CheckpointConnections.Command(
            connection,
            CheckpointSql.ReadChunks,
            CheckpointRows.Hashes(hashes)
        );
        await using var rows = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var hash = ChunkHash.Read(rows.GetFieldValue<byte[]>(0));
            if (await rows.IsDBNullAsync(1, cancellationToken))
                throw new ChunkMissingException(hash);
            var buffer = await free.ReadAsync(cancellationToken);
            await using var data = await rows.GetStreamAsync(1, cancellationToken);
            var length = await data.ReadAtLeastAsync(
                buffer,
                buffer.Length,
                throwOnEndOfStream: false,
                cancellationToken
            );
            read.TryWrite((buffer, length));
        }
    }
}
