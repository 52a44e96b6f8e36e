using EgpuFleet.Grains.Interfaces.Checkpoints;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>
/// The limit: one stream of binary COPY of the same chunks, hashed and sorted beforehand, into and out of the same table,
/// over one connection with the same buffers as the store's.
/// </summary>
internal sealed class RawChunks(string connectionString) : IAsyncDisposable
{
    private const int BufferBytes = 128 << 10;
    private const int PieceBytes = 1 << 20;

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            ReadBufferSize = BufferBytes,
            WriteBufferSize = BufferBytes,
            CommandTimeout = 300,
        }
    );

    public async Task WriteAsync(
        IReadOnlyList<(byte[] Hash, ReadOnlyMemory<byte> Data)> chunks,
        CancellationToken token
    )
    {
        await using var connection = await _source.OpenConnectionAsync(token);
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy chunk (hash, size, data) from stdin (format binary)",
            token
        );
        foreach (var (hash, data) in chunks)
        {
            await copy.StartRowAsync(token);
            await copy.WriteAsync(hash, NpgsqlDbType.Bytea, token);
            await copy.WriteAsync(data.Length, NpgsqlDbType.Integer, token);
            await copy.WriteAsync(data, NpgsqlDbType.Bytea, token);
        }
        await copy.CompleteAsync(token);
    }

    /// <summary>Into memory as large as the state, where a restored one would be, too; what frames the rows comes along.</summary>
    /// <returns>How many bytes came, the copy's own included.</returns>
    public async Task<long> ReadAsync(Memory<byte> places, CancellationToken token)
    {
        await using var connection = await _source.OpenConnectionAsync(token);
        await using var copy = await connection.BeginRawBinaryCopyAsync(
            "copy (select data from chunk) to stdout (format binary)",
            token
        );
        var all = 0L;
        int read;
        while ((read = await copy.ReadAsync(Piece(places, all), token)) > 0)
            all += read;
        return all;
    }

    /// <summary>An empty store, and nothing left to write out.</summary>
    public async Task ClearAsync(CancellationToken token)
    {
        await using var clear = _source.CreateCommand(
            "truncate chunk, checkpoint, manifest, checkpoint_chunk, chunk_garbage"
        );
        await clear.ExecuteNonQueryAsync(token);
        await using var settle = _source.CreateCommand("checkpoint");
        await settle.ExecuteNonQueryAsync(token);
    }

    public static List<(byte[] Hash, ReadOnlyMemory<byte> Data)> Cut(
        IEnumerable<ReadOnlyMemory<byte>> state,
        int bytes
    ) =>
        [
            .. state
                .SelectMany(data =>
                    Enumerable
                        .Range(0, (data.Length + bytes - 1) / bytes)
                        .Select(i => data.Slice(i * bytes, Math.Min(bytes, data.Length - i * bytes)))
                )
                .Select(data => (Hash: ChunkHash.Of(data.Span), Data: data))
                .OrderBy(chunk => chunk.Hash)
                .Select(chunk => (chunk.Hash.ToArray(), chunk.Data)),
        ];

    private static Memory<byte> Piece(Memory<byte> places, long at)
    {
        var rest = places[(int)(at % places.Length)..];
        return rest[..Math.Min(rest.Length, PieceBytes)];
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
