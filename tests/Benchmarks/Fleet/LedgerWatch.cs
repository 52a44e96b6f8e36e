using EgpuFleet.Cli.CommandLine;
using Npgsql;

namespace EgpuFleet.Benchmarks.Fleet;

/// <summary>Rates of a drain, jobs per second: of all, of the first tenth of the jobs, of the last.</summary>
internal sealed record DrainRates(double All, double FirstTenth, double LastTenth);

/// <summary>
/// Watches jobs end, from outside: reads the ledger's own times (database clock), which every client sees through the
/// API as well. A look is a step along the primary key, so that watching a million jobs costs next to nothing.
/// </summary>
internal sealed class LedgerWatch(string connectionString, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Jobs that have not ended; JobState 2, 3 and 4 are succeeded, failed and cancelled.</summary>
    private const string FirstOpen = "select id from job where id >= $1 and state not in (2, 3, 4) order by id limit 1";

    private const string CountBetween = "select count(*) from job where id >= $1 and id < $2";

    private const string Ends = """
        with ends as (
          select extract(epoch from finished_at)::float8 as at, row_number() over (order by finished_at) as place
          from job where state = 2 and id > $1
        )
        select (select count(*) from ends),
               (select extract(epoch from min(started_at))::float8 from job where state = 2 and id > $1),
               (select at from ends where place = $2),
               (select at from ends where place = $3),
               (select at from ends where place = $4)
        """;

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);
    private Guid _mark;

    /// <summary>From here on only jobs count that are submitted later.</summary>
    public async Task MarkAsync(CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand("select id from job order by id desc limit 1");
        _mark = (Guid?)await command.ExecuteScalarAsync(cancellationToken) ?? Guid.Empty;
    }

    /// <summary>Returns when every job since the mark has ended.</summary>
    /// <param name="see">How many have ended, in the order submitted, without a gap.</param>
    /// <exception cref="FleetFailure">None ended for a minute.</exception>
    public async Task UntilAllEndedAsync(Action<long> see, CancellationToken cancellationToken)
    {
        var place = _mark;
        long ended = 0;
        var moved = clock.GetTimestamp();
        var said = moved;
        while (await FirstOpenAsync(place, cancellationToken) is { } open)
        {
            if (open != place)
            {
                ended += await CountAsync(place, open, cancellationToken);
                (place, moved) = (open, clock.GetTimestamp());
            }
            if (clock.GetElapsedTime(moved) > Limits.StallTimeout)
                throw new FleetFailure($"No job ended for {Limits.StallTimeout.TotalSeconds:0} s, after {ended}.");
            if (clock.GetElapsedTime(said) > Limits.ProgressInterval)
            {
                said = clock.GetTimestamp();
                see(ended);
            }
            await Task.Delay(Limits.LookInterval, clock, cancellationToken);
        }
    }

    /// <summary>From the start of the first job since the mark to the end of the last; each of <paramref name="jobs"/> must have succeeded.</summary>
    public async Task<DrainRates> RatesAsync(int jobs, CancellationToken cancellationToken)
    {
        var tenth = Math.Max(1, jobs / 10);
        var (start, first, beforeLast, last) = await EndsAsync(jobs, tenth, jobs - tenth, cancellationToken);
        return new DrainRates(jobs / (last - start), tenth / (first - start), tenth / (last - beforeLast));
    }

    /// <summary>Jobs per second from a moment to the end of the last job.</summary>
    public async Task<double> RateSinceAsync(DateTimeOffset since, int jobs, CancellationToken cancellationToken)
    {
        var (_, _, _, last) = await EndsAsync(jobs, 1, jobs, cancellationToken);
        return jobs / (last - (since - DateTimeOffset.UnixEpoch).TotalSeconds);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task<Guid?> FirstOpenAsync(Guid from, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(FirstOpen);
        command.Parameters.Add(new() { Value = from });
        return (Guid?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private async Task<long> CountAsync(Guid from, Guid to, CancellationToken cancellationToken)
    {
        await using var command = _source.CreateCommand(CountBetween);
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = to });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<(double Start, double First, double BeforeLast, double Last)> EndsAsync(
        int jobs,
        int first,
        int beforeLast,
        CancellationToken cancellationToken
    )
    {
        await using var command = _source.CreateCommand(Ends);
        command.CommandTimeout = 300;
        command.Parameters.Add(new() { Value = _mark });
        foreach (var place in new long[] { first, beforeLast, jobs })
            command.Parameters.Add(new() { Value = place });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var succeeded = reader.GetInt64(0);
        return succeeded == jobs
            ? (reader.GetDouble(1), reader.GetDouble(2), reader.GetDouble(3), reader.GetDouble(4))
            : throw new FleetFailure($"{succeeded} of {jobs} jobs succeeded.");
    }
}
