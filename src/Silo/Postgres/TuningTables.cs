using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Tuned kernels in Postgres.</summary>
public sealed class TuningTables(NpgsqlDataSource database) : ITuningStore
{
    private const string Load = """
        select kernel, opts, seconds_before, seconds_after, revision
        from kernel_tuning
        where device_class = $1 and engine_version = $2
        order by revision desc
        limit $3
        """;

    private const string HasRoom = """
        select exists (select from kernel_tuning where device_class = $1 and engine_version = $2)
          or (select count(*) from (select distinct device_class, engine_version from kernel_tuning) c) < $3
        """;

    private const string Put = """
        insert into kernel_tuning (device_class, engine_version, kernel, opts, seconds_before, seconds_after, job, node)
        select $1, $2, k.kernel, k.opts, k.seconds_before, k.seconds_after, $3, $4
        from unnest($5::text[], $6::text[], $7::float8[], $8::float8[]) as k (kernel, opts, seconds_before, seconds_after)
        order by k.kernel
        on conflict (device_class, engine_version, kernel) do update
        set opts = excluded.opts, seconds_before = excluded.seconds_before, seconds_after = excluded.seconds_after,
            job = excluded.job, node = excluded.node, at = excluded.at, revision = excluded.revision
        where excluded.seconds_after < kernel_tuning.seconds_after
        """;

    private const string Trim = """
        delete from kernel_tuning
        where device_class = $1 and engine_version = $2 and revision <= (
          select revision from kernel_tuning
          where device_class = $1 and engine_version = $2
          order by revision desc
          offset $3 limit 1
        )
        """;

    private const string List = """
        select device_class, engine_version, count(*)::int, max(seconds_before / seconds_after), max(at)
        from kernel_tuning
        group by device_class, engine_version
        order by device_class, engine_version
        limit $1
        """;

    public Task<TuningTable> LoadAsync(TuningClass of, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(of);
        return AskedAsync(async () =>
        {
            await using var load = database.CreateCommand(Load);
            Add(load.Parameters, of.Device, of.EngineVersion, Grains.Limits.TunedKernels);
            var kernels = new List<KernelTuning>();
            var revision = 0L;
            await using var rows = await load.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                kernels.Add(new(rows.GetString(0), rows.GetString(1), rows.GetDouble(2), rows.GetDouble(3)));
                revision = Math.Max(revision, rows.GetInt64(4));
            }
            return new TuningTable(revision, kernels);
        });
    }

    public Task<bool> PutAsync(TuningClass of, TuningReport report, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(of);
        ArgumentNullException.ThrowIfNull(report);
        return AskedAsync(async () =>
        {
            await using var room = database.CreateCommand(HasRoom);
            Add(room.Parameters, of.Device, of.EngineVersion, Grains.Limits.TuningClasses);
            if (await room.ExecuteScalarAsync(cancellationToken) is not true)
                return false;
            // One batch is one transaction: no reader sees more than there may be.
            await using var batch = database.CreateBatch();
            var put = new NpgsqlBatchCommand(Put);
            Add(
                put.Parameters,
                of.Device,
                of.EngineVersion,
                report.Job.Value,
                report.Node.Value,
                Column(report, one => one.Kernel),
                Column(report, one => one.Opts),
                Column(report, one => one.SecondsBefore),
                Column(report, one => one.SecondsAfter)
            );
            var trim = new NpgsqlBatchCommand(Trim);
            Add(trim.Parameters, of.Device, of.EngineVersion, Grains.Limits.TunedKernels);
            batch.BatchCommands.Add(put);
            batch.BatchCommands.Add(trim);
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return true;
        });
    }

    public Task<IReadOnlyList<TunedClass>> ListAsync(CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var list = database.CreateCommand(List);
            Add(list.Parameters, Grains.Limits.TuningClasses);
            var classes = new List<TunedClass>();
            await using var rows = await list.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var of = new TuningClass(rows.GetString(0), rows.GetString(1));
                var at = await rows.GetFieldValueAsync<DateTimeOffset>(4, cancellationToken);
                classes.Add(new TunedClass(of, rows.GetInt32(2), rows.GetDouble(3), at));
            }
            return (IReadOnlyList<TunedClass>)classes;
        });

    private static async Task<T> AskedAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw new LedgerUnavailableException($"Tuned kernels cannot be read or kept now: {e.Message}", e);
        }
    }

    private static T[] Column<T>(TuningReport report, Func<KernelTuning, T> value) => [.. report.Kernels.Select(value)];

    private static void Add(NpgsqlParameterCollection parameters, params object[] values)
    {
        foreach (var value in values)
            parameters.Add(new NpgsqlParameter { Value = value });
    }
}
