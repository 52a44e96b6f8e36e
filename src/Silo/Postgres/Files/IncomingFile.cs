using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Files;

/// <summary>A tenant has as many files, or as many bytes of them, as it may.</summary>
public sealed class FilesFullException(string message) : Exception(message);

/// <summary>
/// A file on its way in: its chunks by binary COPY, then its row, in one transaction. Gone at disposal unless it was kept,
/// and with the connection or the process, whichever ends first.
/// </summary>
public sealed class IncomingFile : IAsyncDisposable
{
    private const string Copy = "copy file_chunk (file, nth, data) from stdin (format binary)";

    /// <summary>Uploads of one tenant are counted one after the other, or two would each find room for itself.</summary>
    private const string Lock = "select pg_advisory_xact_lock(hashtextextended('file ' || $1, 0))";

    private const string Sum = "select count(*)::int, coalesce(sum(size_bytes), 0)::bigint from file where tenant = $1";

    private const string Insert = """
        insert into file (id, tenant, name, purpose, size_bytes, sha256) values ($1, $2, $3, $4, $5, $6)
        returning created_at
        """;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;
    private readonly NpgsqlBinaryImporter importer;
    private readonly TenantId tenant;
    private readonly FileId id;
    private int chunks;

    private IncomingFile(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        NpgsqlBinaryImporter importer,
        TenantId tenant,
        FileId id
    ) =>
        (this.connection, this.transaction, this.importer, this.tenant, this.id) = (
            connection,
            transaction,
            importer,
            tenant,
            id
        );

    /// <summary>Bytes received so far.</summary>
    public long SizeBytes { get; private set; }

    internal static async Task<IncomingFile> BeginAsync(
        NpgsqlDataSource database,
        TenantId tenant,
        FileId id,
        CancellationToken cancellationToken
    )
    {
        var opened = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var begun = await opened.BeginTransactionAsync(cancellationToken);
            var copy = await opened.BeginBinaryImportAsync(Copy, cancellationToken);
            return new IncomingFile(opened, begun, copy, tenant, id);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>All of a stream, a chunk at a time; what the stream throws comes through.</summary>
    public Task WriteAsync(Stream content, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        return FileTables.AskedAsync(async () =>
        {
            var chunk = new byte[Limits.FileChunkBytes];
            int count;
            while ((count = await content.ReadAtLeastAsync(chunk, chunk.Length, false, cancellationToken)) > 0)
            {
                hash.AppendData(chunk, 0, count);
                await importer.StartRowAsync(cancellationToken);
                await importer.WriteAsync(id.Value, NpgsqlDbType.Uuid, cancellationToken);
                await importer.WriteAsync(chunks++, NpgsqlDbType.Integer, cancellationToken);
                await importer.WriteAsync(
                    new ReadOnlyMemory<byte>(chunk, 0, count),
                    NpgsqlDbType.Bytea,
                    cancellationToken
                );
                SizeBytes += count;
            }
            return chunks;
        });
    }

    /// <summary>Gives the file its name; from here on it is there.</summary>
    /// <exception cref="FilesFullException">The tenant may have no more.</exception>
    public Task<StoredFile> KeepAsync(string name, string purpose, CancellationToken cancellationToken) =>
        FileTables.AskedAsync(async () =>
        {
            await importer.CompleteAsync(cancellationToken);
            await importer.CloseAsync(cancellationToken);
            await RequireRoomAsync(cancellationToken);
            var sha256 = hash.GetCurrentHash();
            await using var insert = Command(Insert, id.Value, tenant.Value, name, purpose, SizeBytes, sha256);
            var at = (DateTime)(await insert.ExecuteScalarAsync(cancellationToken))!;
            await transaction.CommitAsync(cancellationToken);
            return new StoredFile(
                id,
                name,
                purpose,
                SizeBytes,
                Convert.ToHexStringLower(sha256),
                new DateTimeOffset(at)
            );
        });

    /// <summary>Disposing the importer before it is complete cancels the copy; a connection that is lost needs neither.</summary>
    public async ValueTask DisposeAsync()
    {
        hash.Dispose();
        try
        {
            await importer.DisposeAsync();
            await transaction.DisposeAsync();
        }
        catch (NpgsqlException)
        {
            // The connection is gone, and with it what it had begun.
        }
        await connection.DisposeAsync();
    }

    private async Task RequireRoomAsync(CancellationToken cancellationToken)
    {
        await using var queue = Command(Lock, tenant.Value);
        await queue.ExecuteNonQueryAsync(cancellationToken);
        await using var sum = Command(Sum, tenant.Value);
        await using var row = await sum.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        if (row.GetInt32(0) >= Limits.TenantFiles)
            throw new FilesFullException($"There are {Limits.TenantFiles:N0} files already; delete some.");
        if (row.GetInt64(1) + SizeBytes > Limits.TenantFileBytes)
            throw new FilesFullException(
                $"All files together may have {Limits.TenantFileBytes >> 30} GiB; delete some."
            );
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
