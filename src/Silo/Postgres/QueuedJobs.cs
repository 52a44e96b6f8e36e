using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;
using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>What of its spec decides where a queued job may run.</summary>
internal sealed record QueuedNeeds(ModelRef? Model, DeviceChoice? Devices, TrainNeeds? Train)
{
    public static readonly QueuedNeeds Nothing = new(null, null, null);
}

/// <summary>The backlog, streamed for a new leader: a million jobs pass through without ever being held here.</summary>
internal static class QueuedJobs
{
    /// <summary>Dependencies first, since few jobs have any; both come from one snapshot.</summary>
    public static async IAsyncEnumerable<QueuedJob> ReadAsync(
        NpgsqlConnection connection,
        PoolId pool,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var snapshot = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead,
            cancellationToken
        );
        var dependencies = await DependenciesAsync(connection, pool, cancellationToken);
        // Most jobs of a backlog need one of a few things.
        var known = new Dictionary<string, QueuedNeeds>();
        await using var command = Command(LedgerQueries.QueuedJobs, connection, pool);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = new JobId(reader.GetGuid(0));
            var needs = reader.IsDBNull(7) ? QueuedNeeds.Nothing : Needs(reader.GetString(7));
            yield return new QueuedJob(
                id,
                (JobKind)reader.GetInt16(1),
                needs.Model,
                reader.GetInt16(2),
                reader.GetInt32(3),
                (JobState)reader.GetInt16(4),
                reader.GetFieldValue<DateTimeOffset>(5),
                reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6),
                dependencies.TryGetValue(id, out var waiting) ? waiting : [],
                needs.Devices,
                needs.Train
            );
        }

        QueuedNeeds Needs(string json)
        {
            if (!known.TryGetValue(json, out var needs))
                known.Add(json, needs = LedgerJson.Needs(json));
            return needs;
        }
    }

    private static async Task<Dictionary<JobId, List<(JobDependency, JobState)>>> DependenciesAsync(
        NpgsqlConnection connection,
        PoolId pool,
        CancellationToken cancellationToken
    )
    {
        var found = new Dictionary<JobId, List<(JobDependency, JobState)>>();
        await using var command = Command(LedgerQueries.QueuedDependencies, connection, pool);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (job, dependency, state) = LedgerRows.Dependency(reader);
            if (!found.TryGetValue(job, out var list))
                found.Add(job, list = []);
            list.Add((dependency, state));
        }
        return found;
    }

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, PoolId pool) =>
        new(sql, connection) { Parameters = { new() { Value = pool.Value } } };
}
