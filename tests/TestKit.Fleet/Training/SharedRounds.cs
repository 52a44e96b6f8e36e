using EgpuFleet.Api;
using EgpuFleet.TestKit.Checkers;
using Npgsql;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>What the store says of the rounds of a shared run.</summary>
/// <param name="Microshards">Of all epochs together.</param>
public sealed record SharedRounds(int Microshards, IReadOnlyList<AppliedMicroshard> Applied)
{
    public static async Task<SharedRounds> ReadAsync(
        NpgsqlDataSource database,
        FineTuningJobInfo job,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(job);
        var id = RigLedger.IdOf(job.Egpufleet.Job);
        await using var count = database.CreateCommand(
            "select (state->'rules'->>'microshards')::int from training_run where job = $1"
        );
        count.Parameters.Add(new NpgsqlParameter { Value = id });
        var microshards = (int)(await count.ExecuteScalarAsync(cancellationToken))!;
        await using var read = database.CreateCommand(
            "select round, microshard from training_applied where job = $1 order by round, microshard"
        );
        read.Parameters.Add(new NpgsqlParameter { Value = id });
        var applied = new List<AppliedMicroshard>();
        await using var rows = await read.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            applied.Add(new AppliedMicroshard(rows.GetInt32(0), rows.GetInt32(1)));
        return new SharedRounds(microshards, applied);
    }
}
