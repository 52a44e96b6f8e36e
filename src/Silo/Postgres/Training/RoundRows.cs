using System.Text.Json;
using System.Text.Json.Serialization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Postgres.Checkpoints;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Training;

/// <summary>Rows of runs as values, and values as parameters.</summary>
internal static class RoundRows
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static NpgsqlParameter Json<T>(T value) =>
        new() { Value = JsonSerializer.Serialize(value, Options), NpgsqlDbType = NpgsqlDbType.Json };

    /// <summary>The run that the command finds; null when it finds none.</summary>
    public static async Task<RoundRun?> ReadAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = CheckpointConnections.Command(connection, sql, parameters);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? new RoundRun(
                new JobId(row.GetGuid(0)),
                JsonSerializer.Deserialize<RoundTerms>(row.GetString(1), Options)!,
                JsonSerializer.Deserialize<RoundState>(row.GetString(2), Options)!,
                new CheckpointId(row.GetGuid(3)),
                row.GetFieldValue<DateTimeOffset>(4),
                row.IsDBNull(5) ? [] : JsonSerializer.Deserialize<RoundFigures[]>(row.GetString(5), Options)!
            )
            : null;
    }

    public static async Task<List<T>> ListAsync<T>(
        NpgsqlConnection connection,
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        var values = new List<T>();
        await using var command = CheckpointConnections.Command(connection, sql, parameters);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            values.Add(read(rows));
        return values;
    }

    /// <summary>Shards of a job that are under lease, with the epochs of their leases.</summary>
    public static async Task<HashSet<(int Member, int Epoch)>> LiveAsync(
        NpgsqlConnection connection,
        JobId job,
        CancellationToken cancellationToken
    ) =>
        [
            .. await ListAsync(
                connection,
                RoundSql.Live,
                row => (row.GetInt32(0), row.GetInt32(1)),
                cancellationToken,
                CheckpointRows.Value(job.Value)
            ),
        ];

    public static Task SaveAsync(
        NpgsqlConnection connection,
        JobId job,
        RoundState state,
        CancellationToken cancellationToken
    ) =>
        CheckpointHold.RunAsync(
            connection,
            RoundSql.Save,
            cancellationToken,
            CheckpointRows.Value(job.Value),
            CheckpointRows.Value(state.Round),
            CheckpointRows.Value((short)state.Phase),
            Json(state)
        );
}
