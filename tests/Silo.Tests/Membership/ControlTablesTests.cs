using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit.Postgres;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Membership;

/// <summary>What several control silos share in the database.</summary>
public sealed class ControlTablesTests(ScratchPostgres postgres) : IAsyncLifetime
{
    private static readonly string One = new('1', 64);
    private static readonly string Two = new('2', 64);

    private NpgsqlDataSource database = null!;
    private ControlTables tables = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(cancellationToken: Token));
        tables = new ControlTables(database);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task A_node_has_one_credential_and_a_credential_one_node()
    {
        await tables.EnrolAsync("mini", One, Token);
        await tables.EnrolAsync("mini", Two, Token);

        Assert.Null(await tables.FindNodeAsync(One, Token));
        Assert.Equal("mini", await tables.FindNodeAsync(Two, Token));
        await Assert.ThrowsAsync<CredentialTakenException>(() => tables.EnrolAsync("maxi", Two, Token));
        Assert.Equal("mini", await tables.FindNodeAsync(Two, Token));
    }

    [Fact]
    public async Task Every_silo_knows_the_secrets_of_all()
    {
        await tables.PublishSecretAsync("control-1", One, Token);
        await tables.PublishSecretAsync("control-2", Two, Token);
        await tables.PublishSecretAsync("control-2", Two, Token);

        Assert.True(await tables.HasSecretAsync(One, Token));
        Assert.True(await tables.HasSecretAsync(Two, Token));
        Assert.False(await tables.HasSecretAsync(new string('3', 64), Token));
    }

    [Fact]
    public async Task Only_the_terms_of_dead_silos_end_and_their_epoch_stays()
    {
        await LeadAsync("a", "10.0.0.1:1111@7 x", 3);
        await LeadAsync("b", "10.0.0.1:1111@70 x", 4);
        await LeadAsync("c", "", 5);

        Assert.Equal(1, await tables.EndTermsAsync(["10.0.0.1:1111@7", "10.0.0.9:1@1"], Token));
        Assert.Equal(0, await tables.EndTermsAsync(["10.0.0.1:1111@7"], Token));

        Assert.Equal(("", 3L, true), await LeaseAsync("a"));
        Assert.Equal(("10.0.0.1:1111@70 x", 4L, false), await LeaseAsync("b"));
    }

    private async Task LeadAsync(string pool, string holder, long epoch)
    {
        await using var insert = database.CreateCommand(
            "insert into leader_lease (pool, holder, epoch, expires_at) values ($1, $2, $3, now() + interval '1 hour')"
        );
        insert.Parameters.AddRange(
            (NpgsqlParameter[])[new() { Value = pool }, new() { Value = holder }, new() { Value = epoch }]
        );
        await insert.ExecuteNonQueryAsync(Token);
    }

    private async Task<(string Holder, long Epoch, bool IsOver)> LeaseAsync(string pool)
    {
        await using var read = database.CreateCommand(
            "select holder, epoch, expires_at <= clock_timestamp() from leader_lease where pool = $1"
        );
        read.Parameters.Add(new NpgsqlParameter { Value = pool });
        await using var row = await read.ExecuteReaderAsync(Token);
        Assert.True(await row.ReadAsync(Token));
        return (row.GetString(0), row.GetInt64(1), row.GetBoolean(2));
    }
}
