using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

public sealed class PostgresLedgerTests(LedgerDatabase database) : LedgerContract, IClassFixture<LedgerDatabase>
{
    private protected override ILedger Ledger => database.Ledger;

    [Fact]
    public async Task An_invalid_operation_fails_its_own_caller_only()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(50);
        var invalid = new LedgerOperation.EndJob(shard.Job, JobState.Queued, new JobEnd(JobEndCode.Cancelled, "x"));
        var bad = Ledger.CommitAsync(rig.Term, [invalid], Token);
        var good = Enumerable
            .Range(0, 50)
            .Select(i => rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(i, "fine")])))
            .ToList();
        await Assert.ThrowsAsync<InvalidOperationException>(() => bad);
        Assert.All(await Task.WhenAll(good), outcome => Assert.True(outcome.Applied));
        Assert.Equal(50, (await rig.FindAsync(shard.Job)).CompletedItems);
    }
}
