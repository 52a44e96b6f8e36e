using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>What must fail when turns are not numbered.</summary>
internal static class LostTurnChecks
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task A_turn_whose_answer_is_lost_is_done_once(string connectionString, Cut where)
    {
        var direct = new NpgsqlConnectionStringBuilder(connectionString);
        await using var proxy = new CuttingProxy(direct.Port);
        direct.Port = proxy.Port;
        await using var ledger = new PostgresLedger(
            direct.ConnectionString,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(3);
        proxy.CutNext(where, rig.Term.Pool);
        var outcomes = await ledger.CommitAsync(
            rig.Term,
            [
                new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "a"), LedgerRig.Text(1, "b")]),
                new LedgerOperation.FinishShard(shard, 1),
            ],
            Token
        );
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal([0, 1], outcomes[0].NewResults);
        Assert.True(outcomes[1].Applied);
        Assert.Equal(2, (await rig.FindAsync(shard.Job)).CompletedItems);
        var events = await ledger.ReadEventsAsync(shard.Job, 0, 100, Token);
        Assert.Equal(outcomes[1].Sequence, events[^1].Sequence);
        Assert.Equal(4, events.Count);
    }
}
