using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.Silo.Postgres.Checkpoints;
using EgpuFleet.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>A checkpoint that the disk of the database has no room for.</summary>
public sealed class FullStoreTests : IAsyncLifetime
{
    private readonly SmallDiskDatabase _disk = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _disk.MountAsync();

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public async Task It_is_told_nothing_of_it_is_seen_and_room_ends_it()
    {
        Assert.SkipUnless(_disk.IsMounted, SmallDisk.SkipReason);
        var connection = await _disk.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(connection);
        await using var ledger = new PostgresLedger(connection, TimeProvider.System, NullLoggerFactory.Instance);
        await using var store = new PostgresCheckpoints(connection, TimeProvider.System, NullLoggerFactory.Instance);
        var rig = await CheckpointRig.CreateAsync(store, ledger, source);
        var before = CheckpointRig.Fresh(1000);
        var saved = await rig.SaveAsync(before);
        var blobs = Enumerable.Range(0, 64).Select(_ => CheckpointRig.Fresh(1 << 20)).ToArray();
        var writer = await rig.OpenAsync(saved.Id);
        await rig.AnnounceAsync(writer, blobs);

        var full = await Assert.ThrowsAsync<LedgerUnavailableException>(() => StoreAsync());

        Assert.Equal(LedgerFault.DiskFull, full.Fault);
        Assert.Equal(saved.Id, (await store.FindLatestAsync(rig.Shard, Token))!.Checkpoint.Id);
        Assert.Equal([before], await rig.ReadAsync(saved.Id));
        await _disk.GrowAsync();
        await StoreAsync();
        var complete = await store.CompleteAsync(
            writer,
            CheckpointRig.ManifestOf(blobs),
            new Dictionary<string, double>(),
            Token
        );
        Assert.True(await rig.HoldsAsync(complete.Value!.Id, blobs));

        async Task StoreAsync()
        {
            foreach (var batch in blobs.Chunk(CheckpointLimits.BatchBytes >> 20))
            {
                var chunks = batch.Select(CheckpointRig.ChunkOf).ToArray();
                Assert.Null((await store.StoreAsync(writer, chunks, Token)).Refusal);
            }
        }
    }
}
