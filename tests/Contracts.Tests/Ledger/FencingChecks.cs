using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>
/// The checks that must fail when the ledger's safety is taken out. Kept apart from the suite, because
/// <see cref="LedgerMutationTests"/> runs them against ledgers that are broken on purpose.
/// </summary>
internal static class FencingChecks
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A paused leader wakes up after another has taken its pool: nothing it writes may arrive.</summary>
    public static async Task A_deposed_leader_writes_nothing(ILedger ledger)
    {
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        Assert.NotNull(await ledger.RenewLeadershipAsync(rig.Term, TimeSpan.Zero, Token));
        var next = await ledger.AcquireLeadershipAsync(rig.Term.Pool, "silo-b", LedgerRig.Long, Token);
        Assert.NotNull(next);
        Assert.True(next.Term.Epoch > rig.Term.Epoch);
        Assert.Null(await ledger.RenewLeadershipAsync(rig.Term, LedgerRig.Long, Token));
        await Assert.ThrowsAsync<LeaderFencedException>(() =>
            ledger.CommitAsync(
                rig.Term,
                [
                    new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "late")]),
                    LedgerRig.Cancel(shard.Job, "late"),
                ],
                Token
            )
        );
        Assert.Empty(await rig.ResultsAsync(shard.Job));
        Assert.Equal(JobState.Running, (await rig.FindAsync(shard.Job)).State);
    }

    /// <summary>A device that lost its lease reports under the old epoch: every kind of report is refused.</summary>
    public static async Task A_stale_epoch_is_refused(ILedger ledger)
    {
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        await rig.ReleaseToAnotherAsync(shard);
        LedgerOperation[] stale =
        [
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "stale")]),
            new LedgerOperation.FinishShard(shard, 1),
            new LedgerOperation.FailShard(shard, 1, "stale"),
            new LedgerOperation.RequeueShard(shard, 1, "stale", CountsAsFailure: true),
            new LedgerOperation.RestartShard(shard, 2, LedgerRig.Device("mac-3")),
        ];
        foreach (var operation in stale)
            Assert.False((await rig.CommitAsync(operation)).Applied, $"{operation} was applied.");
        Assert.Empty(await rig.ResultsAsync(shard.Job));
        var active = Assert.Single(await ledger.LoadActiveAsync(rig.Term.Pool, Token));
        var current = Assert.Single(active.Shards);
        Assert.Equal((2, ShardState.Running, 0), (current.Epoch, current.State, current.FailureCount));
    }

    /// <summary>The same item reported twice has one result, the first, and is counted once.</summary>
    public static async Task An_item_has_one_result(ILedger ledger)
    {
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        var first = await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "first")]));
        var again = await rig.CommitAsync(
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "again"), LedgerRig.Text(1, "other")])
        );
        Assert.Equal([0], first.NewResults);
        Assert.Equal([1], again.NewResults);
        Assert.Equal(["first", "other"], (await rig.ResultsAsync(shard.Job)).Select(r => r.Text));
        Assert.Equal(2, (await rig.FindAsync(shard.Job)).CompletedItems);
    }
}
