using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Rows as values, and values as parameters.</summary>
internal static class CheckpointRows
{
    public static NpgsqlParameter Hashes(IEnumerable<ChunkHash> hashes) =>
        new() { Value = hashes.Select(hash => hash.ToArray()).ToArray() };

    public static NpgsqlParameter Value(object? value) => new() { Value = value ?? DBNull.Value };

    public static NpgsqlParameter Uuid(Guid? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid };

    public static NpgsqlParameter Json<T>(IReadOnlyDictionary<string, T> values) =>
        new() { Value = JsonSerializer.Serialize(values), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Json };

    /// <summary>The columns of <see cref="CheckpointSql.Find"/>.</summary>
    public static CheckpointRecord Checkpoint(NpgsqlDataReader row) =>
        new(
            new CheckpointId(row.GetGuid(0)),
            new ShardId(new JobId(row.GetGuid(1)), row.GetInt32(2)),
            row.GetInt32(3),
            row.IsDBNull(4) ? null : new CheckpointId(row.GetGuid(4)),
            row.GetInt32(5),
            row.GetInt64(6),
            (CheckpointState)row.GetInt16(7),
            row.GetInt64(8),
            row.GetInt32(9),
            JsonSerializer.Deserialize<Dictionary<string, double>>(row.GetString(10))!,
            row.GetFieldValue<DateTimeOffset>(11)
        );

    /// <summary>The column of <see cref="CheckpointSql.ReadMetadata"/>.</summary>
    public static Dictionary<string, string> Metadata(NpgsqlDataReader row) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(0))!;

    /// <summary>The columns of <see cref="CheckpointSql.ReadManifest"/>.</summary>
    public static ManifestTensor Tensor(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            (ElementType)row.GetInt16(1),
            row.GetFieldValue<long[]>(2),
            row.GetInt64(3),
            row.GetInt32(4),
            row.GetFieldValue<byte[]>(5)
        );
}
