using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Postgres;

public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly string _parent = Path.Combine(Path.GetTempPath(), $"egpufleet-test-{Guid.NewGuid():N}");
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private EmbeddedPostgresOptions Options => new() { DataDirectory = Path.Combine(_parent, "postgres") };

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public async Task Data_survives_a_stop_and_a_start()
    {
        await using (var first = await EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, Token))
        {
            await ExecuteAsync(first, "create table kept as select 42 as answer");
            Assert.False(first.Adopted);
        }
        await using var second = await EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, Token);
        Assert.Equal(42, await ExecuteAsync(second, "select answer from kept"));
    }

    [Fact]
    public async Task Migrations_apply_once()
    {
        await using var server = await EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, Token);
        await Migrator.MigrateAsync(server.ConnectionString, NullLogger.Instance, Token);
        await Migrator.MigrateAsync(server.ConnectionString, NullLogger.Instance, Token);
        Assert.True((long?)await ExecuteAsync(server, "select count(*) from orleansquery") > 10);
    }

    private static async Task<object?> ExecuteAsync(EmbeddedPostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Token);
    }
}
