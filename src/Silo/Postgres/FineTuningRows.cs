using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Rows of fine-tuning runs, as <see cref="FineTuningSql"/> selects and takes them.</summary>
internal static class FineTuningRows
{
    public static FineTuningRun Run(NpgsqlDataReader row) =>
        new(
            new JobId(row.GetGuid(0)),
            new TenantId(row.GetString(1)),
            row.IsDBNull(2) ? null : Read<Dictionary<string, string>>(row.GetString(2)),
            Read<FineTuningAsk>(row.GetString(3))
        );

    public static FineTuningEvent Event(NpgsqlDataReader row)
    {
        var at = row.GetFieldValue<DateTimeOffset>(1);
        var id = new FineTuningEventId(row.GetBoolean(8), row.GetInt64(0));
        if (!id.IsNote)
            return new FineTuningEvent(id, at, LedgerRows.Event(row), Note: null);
        var note = new TrainingNote(
            (TrainingNoteKind)row.GetInt16(2),
            row.GetInt64(9),
            row.IsDBNull(7) ? null : row.GetString(7),
            row.IsDBNull(10) ? null : Figures(row, 10)
        );
        return new FineTuningEvent(id, at, Line: null, note);
    }

    public static FineTuningEvent Metrics(NpgsqlDataReader row) =>
        new(
            new FineTuningEventId(IsNote: true, row.GetInt64(1)),
            row.GetFieldValue<DateTimeOffset>(2),
            Line: null,
            new TrainingNote(TrainingNoteKind.Metrics, row.GetInt64(3), null, Figures(row, 4))
        );

    public static void AddColumns(NpgsqlParameterCollection parameters, IReadOnlyList<TrainingNote> notes)
    {
        Add(notes.Select(note => (short)note.Kind).ToArray(), NpgsqlDbType.Smallint);
        Add(notes.Select(note => note.Step).ToArray(), NpgsqlDbType.Bigint);
        Add(notes.Select(note => note.Text is null ? null : LedgerText.Clean(note.Text)).ToArray(), NpgsqlDbType.Text);
        Add(notes.Select(note => note.Metrics is null ? null : Figures(note.Metrics)).ToArray(), NpgsqlDbType.Json);

        void Add(object values, NpgsqlDbType type) =>
            parameters.Add(new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }

    private static string Figures(IReadOnlyDictionary<string, double> metrics) =>
        JsonSerializer.Serialize(metrics, LedgerJson.Options);

    private static Dictionary<string, double> Figures(NpgsqlDataReader row, int column) =>
        Read<Dictionary<string, double>>(row.GetString(column));

    private static T Read<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, LedgerJson.Options)
        ?? throw new InvalidOperationException("A fine-tuning row holds a null.");
}
