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
