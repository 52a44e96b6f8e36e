using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;
using Npgsql;
using Xunit.Sdk;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>Each safety taken out in turn: the checks of <see cref="FencingChecks"/> must notice.</summary>
public sealed class LedgerMutationTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_the_leader_guard_the_checks_go_red()
    {
        await FencingChecks.A_deposed_leader_writes_nothing(database.Ledger);
        await MutateAsync(
            "create or replace function open_turn(the_pool text, the_holder text, the_epoch bigint, the_turn bigint) returns void language sql as ''",
            restore: await DefinitionAsync("open_turn"),
            () => AssertRedAsync(FencingChecks.A_deposed_leader_writes_nothing, database.Ledger)
        );
        await FencingChecks.A_deposed_leader_writes_nothing(database.Ledger);
    }

    [Fact]
    public async Task Without_the_unique_key_of_results_the_checks_go_red() =>
        await MutateAsync(
            "alter table item_result drop constraint one_result_per_item",
            restore: "truncate item_result; alter table item_result add constraint one_result_per_item primary key (job, idx)",
            () => AssertRedAsync(FencingChecks.An_item_has_one_result, database.Ledger)
        );

    [Fact]
    public async Task Without_the_epoch_predicate_the_checks_go_red()
    {
        await AssertRedAsync(FencingChecks.A_stale_epoch_is_refused, new EpochBlindLedger(database.Ledger));
        var inMemory = new InMemoryLedger(TimeProvider.System);
        await AssertRedAsync(FencingChecks.A_stale_epoch_is_refused, new EpochBlindLedger(inMemory));
        await AssertRedAsync(FencingChecks.A_deposed_leader_writes_nothing, new TermBlindLedger(inMemory));
    }

    private static async Task AssertRedAsync(Func<ILedger, Task> check, ILedger broken)
    {
        var error = await Record.ExceptionAsync(() => check(broken));
        // The database's own constraints may notice before the check does.
        Assert.True(
            error
                is XunitException
                    or InvalidOperationException { InnerException: PostgresException { SqlState: "23514" } },
            $"The check did not notice: {error}"
        );
    }

    private async Task<string> DefinitionAsync(string function)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand($"select pg_get_functiondef('{function}'::regproc)");
        return (string)(await command.ExecuteScalarAsync(Token))!;
    }

    private async Task MutateAsync(string mutation, string restore, Func<Task> test)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await ExecuteAsync(mutation);
        try
        {
            await test();
        }
        finally
        {
            await ExecuteAsync(restore);
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Token);
        }
    }
}
