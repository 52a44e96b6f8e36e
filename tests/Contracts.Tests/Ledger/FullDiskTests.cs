using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>A database on a small disk of its own that really runs full.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly SmallDiskDatabase _disk = new();
    private int _seed;

    public async ValueTask InitializeAsync() => await _disk.MountAsync();

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public async Task Writes_fail_with_the_reason_nothing_is_lost_and_room_ends_it()
    {
        Assert.SkipUnless(_disk.IsMounted, SmallDisk.SkipReason);
        await using var ledger = new PostgresLedger(
            await _disk.CreateDatabaseAsync(),
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var rig = await LedgerRig.CreateAsync(ledger);
        // Its connection is kept: a new one may have to write before it can read.
        Assert.Empty(await rig.BacklogAsync());
        var acknowledged = new List<JobId>();
        LedgerUnavailableException? full = null;
        while (full is null)
        {
            try
            {
                acknowledged.Add(await SubmitBulkyAsync(rig));
            }
            catch (LedgerUnavailableException e)
            {
                full = e;
            }
        }
        Assert.Equal(LedgerFault.DiskFull, full.Fault);
        Assert.Contains("disk", full.Message, StringComparison.Ordinal);
        Assert.Equal(acknowledged, (await rig.BacklogAsync()).Select(job => job.Id));
        await _disk.GrowAsync();
        acknowledged.Add(await SubmitBulkyAsync(rig));
        Assert.Equal(acknowledged, (await rig.BacklogAsync()).Select(job => job.Id));
        Assert.True((await rig.CommitAsync(LedgerRig.Cancel(acknowledged[0]))).Applied);
    }

    /// <summary>Text that does not compress: what is stored is as large as what was sent.</summary>
    private async Task<JobId> SubmitBulkyAsync(LedgerRig rig)
    {
        var random = new Random(_seed++);
        var bytes = new byte[200_000];
        random.NextBytes(bytes);
        var spec = rig.Spec(LedgerRig.NewId(), 1);
        var items = LedgerRig.ItemList(1, _ => Convert.ToBase64String(bytes));
        Assert.True((await rig.CommitAsync(new LedgerOperation.SubmitJob(spec, null, items))).Applied);
        return spec.Id;
    }
}
