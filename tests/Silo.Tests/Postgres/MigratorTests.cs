using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

[assembly: AssemblyFixture(typeof(ScratchPostgres))]

namespace EgpuFleet.Silo.Tests.Postgres;

public sealed class MigratorTests(ScratchPostgres server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Silos_that_start_together_migrate_once()
    {
        var database = await server.CreateDatabaseAsync(migrate: false, Token);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => MigrateAsync(database)));
        await using var source = NpgsqlDataSource.Create(database);
        await using var count = source.CreateCommand("select count(*), count(distinct scriptname) from schemaversions");
        await using var row = await count.ExecuteReaderAsync(Token);
        Assert.True(await row.ReadAsync(Token));
        var scripts = Directory.GetFiles(RepositoryPaths.At("infra", "postgres"), "*.sql").LongLength;
        Assert.Equal((scripts, scripts), (row.GetInt64(0), row.GetInt64(1)));
    }

    [Fact]
    public async Task A_database_of_a_newer_binary_is_refused()
    {
        var database = await server.CreateDatabaseAsync(migrate: true, Token);
        await using var source = NpgsqlDataSource.Create(database);
        await using var newer = source.CreateCommand(
            "insert into schemaversions (scriptname, applied) values ('903_future.sql', now())"
        );
        await newer.ExecuteNonQueryAsync(Token);
        var error = await Assert.ThrowsAsync<SchemaTooNewException>(() => MigrateAsync(database));
        Assert.Equal(["903_future.sql"], error.Unknown);
    }

    [Fact]
    public async Task A_migration_that_fails_is_rolled_back_and_named()
    {
        var database = await server.CreateDatabaseAsync(migrate: false, Token);
        await using var source = NpgsqlDataSource.Create(database);
        await using var obstacle = source.CreateCommand("create table shard (unrelated int)");
        await obstacle.ExecuteNonQueryAsync(Token);
        var error = await Assert.ThrowsAsync<MigrationFailedException>(() => MigrateAsync(database));
        Assert.Contains("002_ledger.sql", error.Message, StringComparison.Ordinal);
        await using var half = source.CreateCommand("select to_regclass('job')::text");
        Assert.Equal(DBNull.Value, await half.ExecuteScalarAsync(Token));
    }

    private static Task MigrateAsync(string database) => Migrator.MigrateAsync(database, NullLogger.Instance, Token);
}
