using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Fine-tuning runs and their notes in Postgres.</summary>
public sealed class FineTuningTables(NpgsqlDataSource database) : IFineTuningStore
{
    private const string MoreNotes = "The run told more than is kept: later notes are left out.";

    public Task AddAsync(FineTuningRun run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        return AskedAsync(async () =>
        {
            await using var add = database.CreateCommand(FineTuningSql.Add);
            Add(add.Parameters, run.Job.Value, LedgerText.Clean(run.Tenant.Value));
            AddText(add.Parameters, Pairs(run.Metadata));
            AddText(add.Parameters, JsonSerializer.Serialize(run.Ask, LedgerJson.Options));
            return await add.ExecuteNonQueryAsync(cancellationToken);
        });
    }

    public Task RemoveAsync(JobId job, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var remove = database.CreateCommand(FineTuningSql.Remove);
            Add(remove.Parameters, job.Value);
            return await remove.ExecuteNonQueryAsync(cancellationToken);
        });

    public Task<FineTuningRun?> FindAsync(JobId job, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            await using var find = database.CreateCommand(FineTuningSql.Find);
            Add(find.Parameters, job.Value);
            await using var row = await find.ExecuteReaderAsync(cancellationToken);
            return await row.ReadAsync(cancellationToken) ? FineTuningRows.Run(row) : null;
        });

    public Task<IReadOnlyList<FineTuningRun>> ListAsync(FineTuningPage page, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(page);
        return AskedAsync(async () =>
        {
            await using var list = database.CreateCommand(FineTuningSql.List);
            Add(list.Parameters, LedgerText.Clean(page.Tenant.Value));
            list.Parameters.Add(Nullable(page.After?.Value, NpgsqlDbType.Uuid));
            AddText(list.Parameters, Pairs(page.Metadata));
            Add(list.Parameters, page.Limit);
            var runs = new List<FineTuningRun>();
            await using var rows = await list.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
                runs.Add(FineTuningRows.Run(rows));
            return (IReadOnlyList<FineTuningRun>)runs;
        });
    }

    public Task<NotesOutcome> NoteAsync(
        ShardId shard,
        int epoch,
        NodeId node,
        IReadOnlyList<TrainingNote> notes,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(notes);
        return AskedAsync(async () =>
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var job = shard.Job.Value;
            if (await ScalarAsync(FineTuningSql.HoldLease, job, shard.Number, epoch, node.Value) is not true)
                return NotesOutcome.Fenced;
            if (await ScalarAsync(FineTuningSql.HoldRun, job) is not int kept)
                return NotesOutcome.Unknown;
            var room = Math.Max(Grains.Limits.NotesPerRun - kept, 0);
            List<TrainingNote> taken = [.. notes.Take(room)];
            if (taken.Count < notes.Count)
                taken.Add(new TrainingNote(TrainingNoteKind.Warning, 0, MoreNotes, null));
            await using var note = new NpgsqlCommand(FineTuningSql.Note, connection);
            Add(note.Parameters, job);
            FineTuningRows.AddColumns(note.Parameters, taken);
            await note.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return NotesOutcome.Kept;

            async Task<object?> ScalarAsync(string sql, params object[] values)
            {
                await using var command = new NpgsqlCommand(sql, connection);
                Add(command.Parameters, values);
                return await command.ExecuteScalarAsync(cancellationToken);
            }
        });
    }

    public Task<IReadOnlyList<FineTuningEvent>> ReadEventsAsync(
        FineTuningEventPage page,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(page);
        return AskedAsync(async () =>
        {
            await using var read = database.CreateCommand(
                page.OldestFirst ? FineTuningSql.OldestEvents : FineTuningSql.NewestEvents
            );
            Add(read.Parameters, page.Job.Value);
            read.Parameters.Add(Nullable(page.After?.IsNote, NpgsqlDbType.Boolean));
            read.Parameters.Add(Nullable(page.After?.Sequence, NpgsqlDbType.Bigint));
            Add(read.Parameters, page.Limit);
            var events = new List<FineTuningEvent>();
            await using var rows = await read.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
                events.Add(FineTuningRows.Event(rows));
            return (IReadOnlyList<FineTuningEvent>)events;
        });
    }

    public Task<IReadOnlyDictionary<JobId, IReadOnlyList<FineTuningEvent>>> ReadMetricsAsync(
        IReadOnlyList<JobId> jobs,
        int limit,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return AskedAsync(async () =>
        {
            await using var read = database.CreateCommand(FineTuningSql.Metrics);
            Add(read.Parameters, jobs.Select(job => job.Value).ToArray(), limit);
            var found = jobs.Distinct().ToDictionary(job => job, _ => new List<FineTuningEvent>());
            await using var rows = await read.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
                found[new JobId(rows.GetGuid(0))].Add(FineTuningRows.Metrics(rows));
            return (IReadOnlyDictionary<JobId, IReadOnlyList<FineTuningEvent>>)
                found.ToDictionary(one => one.Key, one => (IReadOnlyList<FineTuningEvent>)one.Value);
        });
    }

    public Task<int> SweepAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        AskedAsync(async () =>
        {
            for (var removed = 0; ; )
            {
                await using var sweep = database.CreateCommand(FineTuningSql.Sweep);
                Add(sweep.Parameters, minimumAge, Limits.RetentionBatchJobs);
                var batch = await sweep.ExecuteNonQueryAsync(cancellationToken);
                removed += batch;
                if (batch < Limits.RetentionBatchJobs)
                    return removed;
            }
        });

    private static string? Pairs(IReadOnlyDictionary<string, string>? metadata) =>
        metadata is null ? null : JsonSerializer.Serialize(metadata, LedgerJson.Options);

    private static async Task<T> AskedAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private static void Add(NpgsqlParameterCollection parameters, params object[] values)
    {
        foreach (var value in values)
            parameters.Add(new NpgsqlParameter { Value = value });
    }

    private static void AddText(NpgsqlParameterCollection parameters, string? text) =>
        parameters.Add(Nullable(text, NpgsqlDbType.Text));

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) =>
        new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
