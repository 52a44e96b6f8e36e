using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Retention;
using EgpuFleet.Silo.Postgres.Writing;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;

namespace EgpuFleet.Silo.Postgres;

/// <summary>The ledger on Postgres: one writer with group commit, pooled readers, and streams on connections of their own.</summary>
public sealed class PostgresLedger : ILedger, IAsyncDisposable
{
    private readonly NpgsqlDataSource _writes;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _streams;
    private readonly ResiliencePipeline _pipeline;
    private readonly LedgerWriter _writer;
    private readonly LedgerReader _reader;
    private readonly LedgerStaging _staging;
    private readonly LedgerRetention _retention;

    /// <summary>
    /// The writer's statements walk their arrays and reach each row by its primary key. They are planned once, perhaps while
    /// a table is still empty, so the plans that suit small tables only are ruled out.
    /// </summary>
    private const string WriterPlans =
        "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off "
        + "-c enable_mergejoin=off -c jit=off";

    /// <param name="connectionString">A database migrated by <see cref="Migrator"/>.</param>
    /// <param name="time">For delays between tries only; lease times are the database's.</param>
    public PostgresLedger(string connectionString, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        _writes = Source(connectionString, "egpufleet writer", 2, loggers, WriterPlans);
        _source = Source(connectionString, "egpufleet ledger", Limits.LedgerConnectionsMax, loggers);
        _streams = Source(connectionString, "egpufleet streams", Limits.LedgerStreamConnectionsMax, loggers);
        _pipeline = LedgerFaults.Pipeline(time);
        _writer = new LedgerWriter(_writes, _pipeline, time, loggers.CreateLogger<PostgresLedger>());
        _reader = new LedgerReader(_source, _streams, _pipeline);
        _staging = new LedgerStaging(_streams);
        _retention = new LedgerRetention(_source);
    }

    /// <summary>Not tried again: a lost answer leaves a term that simply runs out.</summary>
    public async Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(holder);
        await using var command = Command(LeadershipSql.AcquireLeadership, pool.Value, holder, duration);
        return await ReachAsync(
            async token =>
            {
                await using var reader = await command.ExecuteReaderAsync(token);
                await reader.ReadAsync(token);
                return reader.IsDBNull(0)
                    ? null
                    : new Leadership(
                        new LeaderTerm(pool, holder, reader.GetInt64(0)),
                        reader.GetFieldValue<DateTimeOffset>(1)
                    );
            },
            cancellationToken
        );
    }

    public async Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            LeadershipSql.RenewLeadership,
            term.Pool.Value,
            term.Holder,
            term.Epoch,
            duration
        );
        return await ReachAsync(command.ExecuteScalarAsync, cancellationToken) is DateTime now
            ? new DateTimeOffset(now)
            : null;
    }

    public async Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        await using var command = Command(LeadershipSql.ReleaseLeadership, term.Pool.Value, term.Holder, term.Epoch);
        await ReachAsync(command.ExecuteNonQueryAsync, cancellationToken);
    }

    public Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    ) => _staging.StageAsync(job, items, cancellationToken);

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        _staging.SweepAsync(minimumAge, cancellationToken);

    /// <summary>
    /// Archives and forgets what is older than the rules keep, all of it, in bounded transactions. Any process may call it
    /// at any time.
    /// </summary>
    /// <exception cref="LedgerUnavailableException">The rest is for the next time.</exception>
    public Task<RetentionPass> RetireAsync(RetentionRules rules, CancellationToken cancellationToken) =>
        _retention.RunAsync(rules, cancellationToken);

    public Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) => _writer.CommitAsync(term, operations, cancellationToken);

    public Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        _reader.LoadActiveAsync(pool, cancellationToken);

    public IAsyncEnumerable<QueuedJob> LoadQueuedAsync(PoolId pool, CancellationToken cancellationToken) =>
        _reader.LoadQueuedAsync(pool, cancellationToken);

    public Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    ) => _reader.ReadWorkAsync(ranges, maxBytesPerShard, cancellationToken);

    public Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    ) => _reader.ReadItemsAsync(job, firstItem, itemCount, maxBytes, cancellationToken);

    public Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken) =>
        _reader.FindJobAsync(job, cancellationToken);

    public Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken) =>
        _reader.ListJobsAsync(page, cancellationToken);

    public Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    ) => _reader.ReadEventsAsync(job, afterSequence, limit, cancellationToken);

    public IAsyncEnumerable<ItemResult> ReadResultsAsync(JobId job, CancellationToken cancellationToken) =>
        _reader.ReadResultsAsync(job, cancellationToken);

    /// <summary>Commits what is queued, then closes its connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _writes.DisposeAsync();
        await _streams.DisposeAsync();
        await _source.DisposeAsync();
    }

    private static async Task<T> ReachAsync<T>(
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await call(cancellationToken);
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private NpgsqlCommand Command(string sql, params object[] values)
    {
        var command = _source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static NpgsqlDataSource Source(
        string connectionString,
        string name,
        int connections,
        ILoggerFactory loggers,
        string? settings = null
    )
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = name };
        builder.UseLoggerFactory(loggers);
        builder.ConnectionStringBuilder.ApplicationName = name;
        builder.ConnectionStringBuilder.MaxPoolSize = connections;
        builder.ConnectionStringBuilder.MaxAutoPrepare = 64;
        builder.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        builder.ConnectionStringBuilder.CommandTimeout = Limits.LedgerCommandTimeoutSeconds;
        if (settings is not null)
            builder.ConnectionStringBuilder.Options = $"{builder.ConnectionStringBuilder.Options} {settings}".Trim();
        return builder.Build();
    }
}
