using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.TestKit.Postgres;

/// <summary>
/// One embedded server for a whole test run, in a temporary folder on a free port, gone at the end. Use it as an
/// assembly fixture (<c>[assembly: AssemblyFixture(typeof(ScratchPostgres))]</c>) and make a database per test class.
/// </summary>
public sealed class ScratchPostgres : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"egpufleet-test-{Guid.NewGuid():N}");
    private EmbeddedPostgres? _server;
    private int _databases;

    /// <summary>The server's maintenance connection string.</summary>
    public string ConnectionString => Server.ConnectionString;

    private EmbeddedPostgres Server => _server ?? throw new InvalidOperationException("The server is not started.");

    public async ValueTask InitializeAsync()
    {
        var options = new EmbeddedPostgresOptions { DataDirectory = Path.Combine(_folder, "postgres") };
        _server = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None);
    }

    /// <summary>A new database, migrated unless told otherwise. Returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(bool migrate = true, CancellationToken cancellationToken = default)
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var create = source.CreateCommand($"create database {name}");
        await create.ExecuteNonQueryAsync(cancellationToken);
        var made = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
        if (migrate)
            await Migrator.MigrateAsync(made, NullLogger.Instance, cancellationToken);
        return made;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }
}
