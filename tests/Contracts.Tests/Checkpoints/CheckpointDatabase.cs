using EgpuFleet.Silo.Postgres;
using EgpuFleet.Silo.Postgres.Checkpoints;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>A fresh database of one test class, with a checkpoint store and the ledger that fences it.</summary>
public sealed class CheckpointDatabase(ScratchPostgres server) : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";

    public PostgresLedger Ledger { get; private set; } = null!;

    public PostgresCheckpoints Store { get; private set; } = null!;

    /// <summary>For looks and interferences of the tests themselves.</summary>
    public NpgsqlDataSource Source { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await server.CreateDatabaseAsync();
        Ledger = new PostgresLedger(ConnectionString, TimeProvider.System, NullLoggerFactory.Instance);
        Store = new PostgresCheckpoints(ConnectionString, TimeProvider.System, NullLoggerFactory.Instance);
        Source = NpgsqlDataSource.Create(ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Store.DisposeAsync();
        await Ledger.DisposeAsync();
    }
}
