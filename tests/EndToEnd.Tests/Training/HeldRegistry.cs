using EgpuFleet.TestKit.Fleet;
using Npgsql;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>The stored registry of models, held by a lock of ours: who registers a model waits in Postgres.</summary>
internal sealed class HeldRegistry : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(10);

    private readonly NpgsqlDataSource database;
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;

    private HeldRegistry(NpgsqlDataSource database, NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (this.database, this.connection, this.transaction) = (database, connection, transaction);

    public static async Task<HeldRegistry> HoldAsync(RigPostgres postgres, CancellationToken cancellationToken)
    {
        var opened = await postgres.Database.OpenConnectionAsync(cancellationToken);
        var begun = await opened.BeginTransactionAsync(cancellationToken);
        await using var hold = opened.CreateCommand();
        hold.CommandText =
            "select count(*) from (select from orleans_grain_state where grain_type = 'models' for update) held";
        Assert.Equal(1L, await hold.ExecuteScalarAsync(cancellationToken));
        return new HeldRegistry(postgres.Database, opened, begun);
    }

    /// <summary>Returns when so many sessions wait for it.</summary>
    public async Task UntilWaitedForAsync(int sessions, CancellationToken cancellationToken)
    {
        await using var count = Ask(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%orleans_grain_state%'"
        );
        while ((long)(await count.ExecuteScalarAsync(cancellationToken))! < sessions)
            await Task.Delay(PollEvery, cancellationToken);
    }

    /// <summary>Ends whoever waits for it: what they were about to write is not written.</summary>
    public async Task EndWaitersAsync(CancellationToken cancellationToken)
    {
        await using var end = Ask(
            "select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%orleans_grain_state%'"
        );
        Assert.Equal(1L, await end.ExecuteScalarAsync(cancellationToken));
    }

    /// <summary>Lets it go.</summary>
    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    private NpgsqlCommand Ask(string sql) => database.CreateCommand(sql);
}
