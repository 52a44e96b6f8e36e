using EgpuFleet.TestKit.Checkers;
using Npgsql;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>A line of a job's log, at the database's time.</summary>
public sealed record RigEvent(
    long Sequence,
    Guid Job,
    int Kind,
    int? Shard,
    int? Epoch,
    string? Device,
    DateTimeOffset At
);

/// <summary>Looks into the ledger from beside the system.</summary>
public sealed class RigLedger(NpgsqlDataSource database)
{
    /// <summary>The key of a job in the database, of its public id such as <c>job_0197…</c>.</summary>
    public static Guid IdOf(string job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return Guid.ParseExact(job.AsSpan(job.IndexOf('_', StringComparison.Ordinal) + 1), "N");
    }

    /// <summary>Who leads the pool; null while the lease has run out or was given back.</summary>
    public async Task<string?> HolderAsync(CancellationToken cancellationToken)
    {
        await using var find = database.CreateCommand(
            "select holder from leader_lease where holder <> '' and expires_at > clock_timestamp()"
        );
        return (string?)await find.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>The log of one job, in order.</summary>
    public async Task<IReadOnlyList<RigEvent>> EventsAsync(Guid job, CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand(
            "select seq, job, kind, shard, epoch, device, at from job_event where job = $1 order by seq"
        );
        read.Parameters.Add(new NpgsqlParameter { Value = job });
        return await ReadEventsAsync(read, cancellationToken);
    }

    /// <summary>The log of all jobs, in commit order.</summary>
    public async Task<IReadOnlyList<RigEvent>> EventsAsync(CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand(
            "select seq, job, kind, shard, epoch, device, at from job_event order by seq"
        );
        return await ReadEventsAsync(read, cancellationToken);
    }

    /// <summary>Jobs that have not ended.</summary>
    public async Task<int> CountUnfinishedAsync(CancellationToken cancellationToken)
    {
        await using var count = database.CreateCommand("select count(*)::int from job where state not between 2 and 4");
        return (int)(await count.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Jobs that are held or paused by their owner.</summary>
    public async Task<IReadOnlyList<(string Job, bool IsPaused)>> HeldBackAsync(CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand("select id, state = 6 from job where state in (5, 6)");
        var jobs = new List<(string, bool)>();
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            jobs.Add((NameOf(rows.GetGuid(0)), rows.GetBoolean(1)));
        return jobs;
    }

    /// <summary>Every job, with the key that it was submitted under.</summary>
    public async Task<IReadOnlyList<FinalJob>> JobsAsync(CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand(
            """
            select j.id, j.tenant, k.key, j.state, j.item_count,
              array(select d.depends_on from job_dependency d where d.job = j.id and d.condition = 0 and j.end_code = 6)
            from job j left join idempotency_key k on k.job = j.id
            """
        );
        var jobs = new List<FinalJob>();
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            jobs.Add(
                new FinalJob(
                    NameOf(rows.GetGuid(0)),
                    rows.GetString(1),
                    await rows.IsDBNullAsync(2, cancellationToken) ? null : rows.GetString(2),
                    PhaseOf(rows.GetInt16(3)),
                    rows.GetInt32(4)
                )
                {
                    NeededInVain = Array.ConvertAll(rows.GetFieldValue<Guid[]>(5), NameOf),
                }
            );
        }
        return jobs;
    }

    /// <summary>Every result; the digest is its text, or its error's code.</summary>
    public async Task<IReadOnlyList<FinalResult>> ResultsAsync(CancellationToken cancellationToken)
    {
        await using var read = database.CreateCommand(
            "select job, idx, coalesce(body ->> 'text', body ->> 'error_code', body::text) from item_result"
        );
        var results = new List<FinalResult>();
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            results.Add(new FinalResult(NameOf(rows.GetGuid(0)), rows.GetInt32(1), rows.GetString(2)));
        return results;
    }

    /// <summary>The public id of a job.</summary>
    public static string NameOf(Guid job) => $"job_{job:N}";

    private static JobPhase PhaseOf(short state) =>
        state switch
        {
            1 => JobPhase.Running,
            2 => JobPhase.Succeeded,
            3 => JobPhase.Failed,
            4 => JobPhase.Cancelled,
            _ => JobPhase.Waiting,
        };

    private static async Task<IReadOnlyList<RigEvent>> ReadEventsAsync(
        NpgsqlCommand read,
        CancellationToken cancellationToken
    )
    {
        var events = new List<RigEvent>();
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            events.Add(
                new RigEvent(
                    rows.GetInt64(0),
                    rows.GetGuid(1),
                    rows.GetInt16(2),
                    await rows.IsDBNullAsync(3, cancellationToken) ? null : rows.GetInt32(3),
                    await rows.IsDBNullAsync(4, cancellationToken) ? null : rows.GetInt32(4),
                    await rows.IsDBNullAsync(5, cancellationToken) ? null : rows.GetString(5),
                    rows.GetFieldValue<DateTimeOffset>(6)
                )
            );
        }
        return events;
    }
}
