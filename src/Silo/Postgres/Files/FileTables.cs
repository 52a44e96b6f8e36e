using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Files;

/// <summary>Uploaded files in Postgres. All calls throw <see cref="LedgerUnavailableException"/> while it does not answer.</summary>
public sealed class FileTables(NpgsqlDataSource database)
{
    private const string Columns = "id, name, purpose, size_bytes, sha256, created_at";

    private const string Find = $"select {Columns} from file where id = $1 and ($2::text is null or tenant = $2)";

    private const string NewestFirst = $"""
        select {Columns} from file
        where tenant = $1 and ($2::text is null or purpose = $2) and ($3::uuid is null or id < $3)
        order by id desc
        limit $4
        """;

    private const string OldestFirst = $"""
        select {Columns} from file
        where tenant = $1 and ($2::text is null or purpose = $2) and ($3::uuid is null or id > $3)
        order by id
        limit $4
        """;

    /// <summary>Whoever needs the file names it in the specification of a run that is not over.</summary>
    private const string IsNeeded = """
        select exists (
          select from job j join job_spec s on s.job = j.id
          where j.kind = 3 and j.state not between 2 and 4 and j.tenant = $1
            and (s.spec -> 'train' -> 'training' ->> 'id' = $2 or s.spec -> 'train' -> 'validation' ->> 'id' = $2)
        )
        """;

    private const string Remove = """
        with gone as (delete from file where tenant = $1 and id = $2 returning id)
        delete from file_chunk using gone where file_chunk.file = gone.id
        """;

    private const string Chunk = "select data from file_chunk where file = $1 and nth = $2";

    /// <summary>Begins an upload; nothing of it is seen before it is kept.</summary>
    public Task<IncomingFile> ReceiveAsync(TenantId tenant, FileId id, CancellationToken cancellationToken) =>
        AskedAsync(() => IncomingFile.BeginAsync(database, tenant, id, cancellationToken));

    /// <param name="tenant">Null for any: agents serve all.</param>
    public Task<StoredFile?> FindAsync(FileId id, TenantId? tenant, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var find = Command(Find, id.Value, (object?)tenant?.Value ?? DBNull.Value);
            await using var rows = await find.ExecuteReaderAsync(cancellationToken);
            return await rows.ReadAsync(cancellationToken) ? Read(rows) : null;
        });

    public Task<IReadOnlyList<StoredFile>> ListAsync(
        TenantId tenant,
        FilePage page,
        CancellationToken cancellationToken
    ) =>
        AskedAsync(async () =>
        {
            await using var list = Command(
                page.OldestFirst ? OldestFirst : NewestFirst,
                tenant.Value,
                (object?)page.Purpose ?? DBNull.Value,
                (object?)page.After?.Value ?? DBNull.Value,
                page.Limit
            );
            var files = new List<StoredFile>();
            await using var rows = await list.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
                files.Add(Read(rows));
            return (IReadOnlyList<StoredFile>)files;
        });

    public Task<FileRemoval> RemoveAsync(TenantId tenant, FileId id, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var needed = Command(IsNeeded, tenant.Value, id.ToString());
            if (await needed.ExecuteScalarAsync(cancellationToken) is true)
                return FileRemoval.InUse;
            await using var remove = Command(Remove, tenant.Value, id.Value);
            await remove.ExecuteNonQueryAsync(cancellationToken);
            return FileRemoval.Gone;
        });

    /// <summary>The content, seekable; one chunk of it is in memory at a time.</summary>
    public Stream Open(StoredFile file) => new FileContent(this, file);

    /// <summary>A chunk; null where the file was removed.</summary>
    internal Task<byte[]?> ReadChunkAsync(FileId id, int nth, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var read = Command(Chunk, id.Value, nth);
            return (byte[]?)await read.ExecuteScalarAsync(cancellationToken);
        });

    internal static async Task<T> AskedAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private static StoredFile Read(NpgsqlDataReader row) =>
        new(
            new FileId(row.GetGuid(0)),
            row.GetString(1),
            row.GetString(2),
            row.GetInt64(3),
            Convert.ToHexStringLower(row.GetFieldValue<byte[]>(4)),
            row.GetFieldValue<DateTimeOffset>(5)
        );

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
