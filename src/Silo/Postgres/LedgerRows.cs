using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Rows of <see cref="LedgerQueries"/> as records.</summary>
internal static class LedgerRows
{
    public static JobRecord Job(NpgsqlDataReader row) =>
        new(
            WideSpec(row),
            (JobState)row.GetInt16(3),
            row.GetInt32(6),
            row.GetInt32(7),
            At(row, 4),
            AtOrNull(row, 8),
            AtOrNull(row, 9),
            row.IsDBNull(10) ? null : new JobEnd((JobEndCode)row.GetInt16(10), row.GetString(11))
        );

    public static JobSpec Spec(NpgsqlDataReader row) =>
        LedgerJson.Spec(row.GetString(3), new JobId(row.GetGuid(0)), new TenantId(row.GetString(1)), row.GetInt32(2));

    public static ActiveJob ActiveJob(NpgsqlDataReader row) =>
        new(
            WideSpec(row),
            (JobState)row.GetInt16(3),
            At(row, 4),
            NextItem: row.GetInt32(9),
            NextShardNumber: row.GetInt32(10),
            CompletedItems: row.GetInt32(6),
            FailedItems: row.GetInt32(7),
            Shards: [],
            StartedAt: AtOrNull(row, 8)
        );

    public static (JobId Job, ActiveShard Shard) Shard(NpgsqlDataReader row)
    {
        var job = new JobId(row.GetGuid(0));
        var shard = new ActiveShard(
            new ShardId(job, row.GetInt32(1)),
            row.GetInt32(2),
            row.GetInt32(3),
            (ShardState)row.GetInt16(4),
            row.GetInt32(5),
            Device(row, 6),
            row.GetInt32(7),
            AtOrNull(row, 8)
        );
        return (job, shard);
    }

    public static (JobId Job, JobDependency Dependency, JobState State) Dependency(NpgsqlDataReader row) =>
        (
            new JobId(row.GetGuid(0)),
            new JobDependency(new JobId(row.GetGuid(1)), (DependencyCondition)row.GetInt16(2)),
            (JobState)row.GetInt16(3)
        );

    public static JobEvent Event(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            At(row, 1),
            (JobEventKind)row.GetInt16(2),
            row.IsDBNull(3) ? null : row.GetInt32(3),
            row.IsDBNull(4) ? null : row.GetInt32(4),
            row.IsDBNull(5) ? null : Device(row, 5),
            row.IsDBNull(6) ? null : row.GetInt32(6),
            row.IsDBNull(7) ? null : row.GetString(7)
        );

    public static ItemResult Result(NpgsqlDataReader row) =>
        LedgerJson.Result(
            row.GetString(7),
            new ItemResult(
                row.GetInt32(0),
                CustomId: "",
                Text: null,
                FinishReason: null,
                row.GetInt32(1),
                row.GetInt32(2),
                ErrorCode: null,
                ErrorMessage: null,
                Device(row, 3),
                row.GetInt32(4),
                row.GetInt32(5),
                row.GetInt32(6)
            )
        );

    private static JobSpec WideSpec(NpgsqlDataReader row) =>
        LedgerJson.Spec(row.GetString(5), new JobId(row.GetGuid(0)), new TenantId(row.GetString(1)), row.GetInt32(2));

    private static DateTimeOffset? AtOrNull(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : At(row, column);

    private static DateTimeOffset At(NpgsqlDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    private static DeviceId Device(NpgsqlDataReader row, int column) =>
        DeviceId.TryParse(row.GetString(column), out var device)
            ? device
            : throw new InvalidOperationException($"The ledger holds '{row.GetString(column)}' as a device.");
}
