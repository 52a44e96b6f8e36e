using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(ScratchPostgres))]

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>A fresh, migrated database of one test class, and a ledger on it.</summary>
public sealed class LedgerDatabase(ScratchPostgres server) : IAsyncLifetime
{
    public string ConnectionString { get; private set; } = "";

    public PostgresLedger Ledger { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await server.CreateDatabaseAsync();
        Ledger = new PostgresLedger(ConnectionString, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public ValueTask DisposeAsync() => Ledger.DisposeAsync();
}
