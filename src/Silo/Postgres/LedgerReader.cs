using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;
using Polly;

namespace EgpuFleet.Silo.Postgres;

/// <summary>The ledger's reads: short ones on the shared pool and tried again, streams on a pool of their own.</summary>
internal sealed class LedgerReader(NpgsqlDataSource source, NpgsqlDataSource streams, ResiliencePipeline pipeline)
{
    public async Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    ) =>
        (await ItemsAsync([new WorkRange(job, firstItem, itemCount)], maxBytes, cancellationToken)).ConvertAll(item =>
            item.Item
        );

    public async Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    )
    {
        var items = ItemsAsync(ranges, maxBytesPerShard, cancellationToken);
        var specs = QueryAsync(
            LedgerQueries.Specs,
            [ranges.Select(range => range.Job.Value).Distinct().ToArray()],
            LedgerRows.Spec,
            cancellationToken
        );
        var byId = (await specs).ToDictionary(spec => spec.Id);
        var work = ranges
            .Select(range =>
                byId.TryGetValue(range.Job, out var spec)
                    ? new ShardWork(spec, new List<BatchItem>())
                    : throw new KeyNotFoundException($"No job {range.Job}.")
            )
            .ToList();
        foreach (var (range, item) in await items)
            ((List<BatchItem>)work[range].Items).Add(item);
        return work;
    }

    public async Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken)
    {
        var found = await QueryAsync(LedgerQueries.Job, [job.Value], LedgerRows.Job, cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    public async Task<IReadOnlyList<JobRecord>> ListJobsAsync(
        JobPageRequest page,
        CancellationToken cancellationToken
    ) =>
        await QueryAsync(
            page.OldestFirst ? LedgerQueries.JobsOldestFirst : LedgerQueries.JobsNewestFirst,
            [
                page.Tenant.Value,
                page.State is { } state ? (short)state : DBNull.Value,
                page.After is { } after ? after.Value : DBNull.Value,
                Math.Clamp(page.Limit, 0, Limits.LedgerPageRowsMax),
            ],
            LedgerRows.Job,
            cancellationToken
        );

    public async Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var events = await QueryAsync(
            LedgerQueries.Events,
            [job.Value, afterSequence, Math.Clamp(limit, 0, Limits.LedgerPageRowsMax)],
            LedgerRows.Event,
            cancellationToken
        );
        // Every job has events, until it is archived.
        if (events.Count == 0 && afterSequence == 0)
            await ThrowIfArchivedAsync(job, cancellationToken);
        return events;
    }

    /// <summary>Both lists come from one snapshot, so that a shard never lacks its job.</summary>
    public async Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        await TryAsync(
            async token =>
            {
                await using var connection = await source.OpenConnectionAsync(token);
                await using var snapshot = await connection.BeginTransactionAsync(
                    System.Data.IsolationLevel.RepeatableRead,
                    token
                );
                var shards = new Dictionary<JobId, List<ActiveShard>>();
                await foreach (var (job, shard) in RowsAsync(LedgerQueries.ActiveShards, LedgerRows.Shard))
                {
                    if (!shards.TryGetValue(job, out var list))
                        shards[job] = list = [];
                    list.Add(shard);
                }
                var jobs = new List<ActiveJob>();
                await foreach (var job in RowsAsync(LedgerQueries.ActiveJobs, LedgerRows.ActiveJob))
                    jobs.Add(job with { Shards = shards.GetValueOrDefault(job.Spec.Id) ?? [] });
                return jobs;

                async IAsyncEnumerable<T> RowsAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
                {
                    await using var command = new NpgsqlCommand(sql, connection, snapshot);
                    command.Parameters.Add(new() { Value = pool.Value });
                    await using var reader = await command.ExecuteReaderAsync(token);
                    while (await reader.ReadAsync(token))
                        yield return read(reader);
                }
            },
            cancellationToken
        );

    /// <summary>A lost connection ends it: who reads a backlog halfway starts again.</summary>
    public async IAsyncEnumerable<QueuedJob> LoadQueuedAsync(
        PoolId pool,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var connection = await TryAsync(
            async token => await streams.OpenConnectionAsync(token),
            cancellationToken
        );
        await using var jobs = QueuedJobs
            .ReadAsync(connection, pool, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (await OnceAsync(async _ => await jobs.MoveNextAsync(), cancellationToken))
            yield return jobs.Current;
    }

    /// <summary>One statement, hence one snapshot; rows leave as fast as the consumer takes them.</summary>
    public async IAsyncEnumerable<ItemResult> ReadResultsAsync(
        JobId job,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var connection = await TryAsync(
            async token => await streams.OpenConnectionAsync(token),
            cancellationToken
        );
        await using var command = new NpgsqlCommand(LedgerQueries.Results, connection);
        command.Parameters.Add(new() { Value = job.Value });
        await using var reader = await OnceAsync(command.ExecuteReaderAsync, cancellationToken);
        var (any, ended) = (false, false);
        try
        {
            while (await OnceAsync(reader.ReadAsync, cancellationToken))
            {
                any = true;
                yield return LedgerRows.Result(reader);
            }
            ended = true;
        }
        finally
        {
            // Closing the reader would first read all the rest of a long result.
            if (!ended)
                command.Cancel();
        }
        if (!any)
            await ThrowIfArchivedAsync(job, cancellationToken);
    }

    private async Task ThrowIfArchivedAsync(JobId job, CancellationToken cancellationToken)
    {
        var archived = await QueryAsync(
            LedgerQueries.IsArchived,
            [job.Value],
            row => row.GetBoolean(0),
            cancellationToken
        );
        if (archived[0])
            throw new JobArchivedException(job);
    }

    private Task<List<(int Range, BatchItem Item)>> ItemsAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytes,
        CancellationToken cancellationToken
    ) =>
        QueryAsync(
            LedgerQueries.Items,
            [
                ranges.Select(range => range.Job.Value).ToArray(),
                ranges.Select(range => range.FirstItem).ToArray(),
                ranges.Select(range => range.ItemCount).ToArray(),
                (long)maxBytes,
            ],
            row => (row.GetInt32(0), LedgerJson.Item(row.GetString(2), row.GetInt32(1))),
            cancellationToken
        );

    private static async Task<T> OnceAsync<T>(
        Func<CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await read(cancellationToken);
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private async Task<List<T>> QueryAsync<T>(
        string sql,
        object[] parameters,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken
    ) =>
        await TryAsync(
            async token =>
            {
                await using var command = source.CreateCommand(sql);
                foreach (var value in parameters)
                    command.Parameters.Add(new() { Value = value });
                await using var reader = await command.ExecuteReaderAsync(token);
                var rows = new List<T>();
                while (await reader.ReadAsync(token))
                    rows.Add(read(reader));
                return rows;
            },
            cancellationToken
        );

    private Task<T> TryAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        OnceAsync(
            async token => await pipeline.ExecuteAsync(async attempt => await read(attempt), token),
            cancellationToken
        );
}
