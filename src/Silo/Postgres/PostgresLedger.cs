using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;

namespace EgpuFleet.Silo.Postgres;

/// <summary>The ledger on Postgres: one writer with group commit, pooled readers, and streams on connections of their own.</summary>
public sealed class PostgresLedger : ILedger, IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _streams;
    private readonly ResiliencePipeline _pipeline;
    private readonly LedgerWriter _writer;
    private readonly LedgerReader _reader;
    private readonly LedgerStaging _staging;

    /// <param name="connectionString">A database migrated by <see cref="Migrator"/>.</param>
    /// <param name="time">For delays between tries only; lease times are the database's.</param>
    public PostgresLedger(string connectionString, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        _source = Source(connectionString, "egpufleet ledger", Limits.LedgerConnectionsMax, loggers);
        _streams = Source(connectionString, "egpufleet streams", Limits.LedgerStreamConnectionsMax, loggers);
        _pipeline = LedgerFaults.Pipeline(time);
        _writer = new LedgerWriter(_source, _pipeline, loggers.CreateLogger<PostgresLedger>());
        _reader = new LedgerReader(_source, _streams, _pipeline);
        _staging = new LedgerStaging(_streams);
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
        await using var command = Command(LedgerSql.AcquireLeadership, pool.Value, holder, duration);
        var epoch = await ReachAsync(command.ExecuteScalarAsync, cancellationToken);
        if (epoch is not long number)
            return null;
        await using var clock = Command("select clock_timestamp()");
        var now = new DateTimeOffset((DateTime)(await ReachAsync(clock.ExecuteScalarAsync, cancellationToken))!);
        return new Leadership(new LeaderTerm(pool, holder, number), now);
    }

    public async Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            LedgerSql.RenewLeadership,
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
        await using var command = Command(LedgerSql.ReleaseLeadership, term.Pool.Value, term.Holder, term.Epoch);
        await ReachAsync(command.ExecuteNonQueryAsync, cancellationToken);
    }

    public Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    ) => _staging.StageAsync(job, items, cancellationToken);

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        _staging.SweepAsync(minimumAge, cancellationToken);

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
        ILoggerFactory loggers
    )
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = name };
        builder.UseLoggerFactory(loggers);
        builder.ConnectionStringBuilder.ApplicationName = name;
        builder.ConnectionStringBuilder.MaxPoolSize = connections;
        builder.ConnectionStringBuilder.MaxAutoPrepare = 64;
        builder.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        builder.ConnectionStringBuilder.CommandTimeout = Limits.LedgerCommandTimeoutSeconds;
        return builder.Build();
    }
}
