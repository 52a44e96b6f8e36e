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

    [Fact]
    public async Task Without_the_look_at_dependencies_the_checks_go_red()
    {
        await CheckAsync();
        await MutateAsync(
            "create or replace function is_met(condition smallint, state smallint) returns boolean language sql as 'select true'",
            restore: await DefinitionAsync("is_met"),
            () => AssertRedAsync(_ => CheckAsync(), database.Ledger)
        );
        await CheckAsync();

        async Task CheckAsync() =>
            await ClockChecks.A_job_is_unblocked_only_when_its_dependencies_are_met(
                await LedgerRig.CreateAsync(database.Ledger)
            );
    }

    [Fact]
    public async Task Without_the_clock_of_the_database_the_checks_go_red()
    {
        foreach (var ledger in new ILedger[] { database.Ledger, new InMemoryLedger(TimeProvider.System) })
            await AssertRedAsync(
                async broken =>
                    await ClockChecks.Only_the_clock_of_the_database_expires_a_job(await LedgerRig.CreateAsync(broken)),
                new ClockBlindLedger(ledger)
            );
    }

    [Fact]
    public async Task Without_the_number_of_a_turn_the_checks_go_red()
    {
        await LostTurnChecks.A_turn_whose_answer_is_lost_is_done_once(database.ConnectionString, Cut.AfterTurn);
        var guard = await DefinitionAsync("open_turn");
        var blind = guard.Replace("turn >= the_turn", "false", StringComparison.Ordinal);
        Assert.NotEqual(guard, blind);
        await MutateAsync(
            blind.Replace("insert into leader_turn", "-- insert", StringComparison.Ordinal),
            restore: guard,
            () =>
                AssertRedAsync(
                    _ =>
                        LostTurnChecks.A_turn_whose_answer_is_lost_is_done_once(
                            database.ConnectionString,
                            Cut.AfterTurn
                        ),
                    database.Ledger
                )
        );
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
