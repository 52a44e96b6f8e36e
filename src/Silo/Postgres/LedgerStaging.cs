using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Input on its way in: streamed by binary COPY in one transaction, swept when no job came of it.</summary>
internal sealed class LedgerStaging(NpgsqlDataSource source)
{
    private const string Copy = "copy job_item (job, idx, bytes, item) from stdin (format binary)";

    /// <summary>Stamped at the end: a slow upload is not old when it completes.</summary>
    private const string Seal = "insert into job_input (job, item_count, staged_at) values ($1, $2, clock_timestamp())";

    /// <summary>Locks first, looks for a job second: a submit that holds the input meanwhile keeps it.</summary>
    private const string LockUnused = """
        select job from job_input
        where staged_at <= clock_timestamp() - $1 and not exists (select from job where id = job_input.job)
        order by staged_at
        limit $2
        for update skip locked
        """;

    private const string DeleteUnused = """
        with unused as (
          delete from job_input where job = any($1) and not exists (select from job where id = job_input.job)
          returning job
        ), items as (
          delete from job_item using unused where job_item.job = unused.job
        )
        select count(*)::int from unused
        """;

    public async Task<int> StageAsync(JobId job, IAsyncEnumerable<BatchItem> items, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var count = await CopyAsync(connection, job, items, cancellationToken);
            await using var seal = new NpgsqlCommand(Seal, connection, transaction)
            {
                Parameters =
                {
                    new() { Value = job.Value },
                    new() { Value = count },
                },
            };
            await seal.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return count;
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    /// <summary>Disposing the importer before it is complete cancels the copy: a sequence that throws leaves nothing.</summary>
    private static async Task<int> CopyAsync(
        NpgsqlConnection connection,
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    )
    {
        var count = 0;
        await using var importer = await connection.BeginBinaryImportAsync(Copy, cancellationToken);
        await foreach (var item in items.WithCancellation(cancellationToken))
        {
            if (item.Index != count)
                throw new ArgumentException($"Item {count} has index {item.Index}.", nameof(items));
            var body = LedgerJson.Item(item);
            await importer.StartRowAsync(cancellationToken);
            await importer.WriteAsync(job.Value, NpgsqlDbType.Uuid, cancellationToken);
            await importer.WriteAsync(item.Index, NpgsqlDbType.Integer, cancellationToken);
            await importer.WriteAsync(body.Length, NpgsqlDbType.Integer, cancellationToken);
            await importer.WriteAsync(body, NpgsqlDbType.Json, cancellationToken);
            count++;
        }
        if (count == 0)
            throw new ArgumentException("A job needs at least one item.", nameof(items));
        await importer.CompleteAsync(cancellationToken);
        return count;
    }

    public async Task<int> SweepAsync(TimeSpan minimumAge, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var locked = new List<Guid>();
            await using (var find = new NpgsqlCommand(LockUnused, connection, transaction))
            {
                find.Parameters.Add(new() { Value = minimumAge });
                find.Parameters.Add(new() { Value = Limits.LedgerSweepInputsMax });
                await using var reader = await find.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                    locked.Add(reader.GetGuid(0));
            }
            await using var delete = new NpgsqlCommand(DeleteUnused, connection, transaction);
            delete.Parameters.Add(new() { Value = locked.ToArray() });
            var swept = (int)(await delete.ExecuteScalarAsync(cancellationToken))!;
            await transaction.CommitAsync(cancellationToken);
            return swept;
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }
}
