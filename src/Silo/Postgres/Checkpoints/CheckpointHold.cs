using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>The first thing in every transaction of a checkpoint's writer.</summary>
internal static class CheckpointHold
{
    /// <summary>Locks the open checkpoint until the transaction ends; returns why it must not be written, or null.</summary>
    public static async Task<CheckpointRefusal?> TakeAsync(
        NpgsqlConnection connection,
        CheckpointWriter writer,
        CancellationToken cancellationToken
    )
    {
        await using var command = CheckpointConnections.Command(
            connection,
            CheckpointSql.Hold,
            CheckpointRows.Value(writer.Id.Value),
            CheckpointRows.Value(writer.Node.Value)
        );
        return RefusalOf((bool?)await command.ExecuteScalarAsync(cancellationToken));
    }

    /// <param name="held">The row of <see cref="CheckpointSql.Hold"/>; null: none.</param>
    public static CheckpointRefusal? RefusalOf(bool? held) =>
        held switch
        {
            true => null,
            false => CheckpointRefusal.Fenced,
            null => CheckpointRefusal.NotOpen,
        };

    public static CheckpointOutcome<T> Refuse<T>(CheckpointRefusal refusal) =>
        CheckpointOutcome.Refused<T>(
            refusal,
            refusal == CheckpointRefusal.Fenced
                ? "The lease under which this checkpoint was begun is not the current one."
                : "No such checkpoint is open: it is complete, or it was given up."
        );

    public static async Task RunAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = CheckpointConnections.Command(connection, sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
