using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>The connection is lost while a commit is under way: what was written is reported as written, once.</summary>
public sealed class LostCommitTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData((int)Cut.BeforeTurn)]
    [InlineData((int)Cut.DuringTurn)]
    [InlineData((int)Cut.AfterTurn)]
    public async Task An_unknown_commit_is_looked_up_before_anything_is_repeated(int where)
    {
        var direct = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var proxy = new CuttingProxy(direct.Port);
        direct.Port = proxy.Port;
        await using var ledger = new PostgresLedger(
            direct.ConnectionString,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(3);
        proxy.CutNext((Cut)where, rig.Term.Pool);
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

    [Fact]
    public async Task A_server_that_does_not_answer_is_reported_in_time()
    {
        var direct = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        int closedPort;
        await using (var proxy = new CuttingProxy(direct.Port))
            closedPort = proxy.Port;
        direct.Port = closedPort;
        await using var ledger = new PostgresLedger(
            direct.ConnectionString,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        await Task.WhenAll(
            Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.CommitAsync(rig.Term, [], Token)),
            Assert.ThrowsAsync<LedgerUnavailableException>(() => ledger.FindJobAsync(LedgerRig.NewId(), Token))
        );
    }
}
