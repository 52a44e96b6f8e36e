using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>What the collection takes, and what it must never take.</summary>
public sealed class CollectionTests(CheckpointDatabase database) : IClassFixture<CheckpointDatabase>
{
    private static readonly Dictionary<string, double> NoMetrics = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_dead_writer_left_goes_after_the_grace_period()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (shared, own) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        await rig.SaveAsync(shared);
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, shared, own);
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(own)], Token);

        Assert.Equal(0, await rig.CollectAsync(CheckpointRules.Default));
        Assert.True(await rig.IsStoredAsync(own));
        await rig.CollectAsync();

        Assert.Equal((true, false), (await rig.IsStoredAsync(shared), await rig.IsStoredAsync(own)));
        var late = await rig.Store.CompleteAsync(writer, CheckpointRig.ManifestOf(shared, own), NoMetrics, Token);
        Assert.Equal(CheckpointRefusal.NotOpen, late.Refusal);
    }

    [Fact]
    public async Task Writers_that_open_and_die_again_and_again_leave_three_open_ones()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var writers = new List<CheckpointWriter>();
        for (var i = 0; i < 5; i++)
            writers.Add(await rig.OpenAsync());

        await rig.CollectAsync(CheckpointRules.Default);

        foreach (var (i, writer) in writers.Index())
        {
            var outcome = await rig.Store.AnnounceAsync(writer, [], Token);
            Assert.Equal(i < 2 ? CheckpointRefusal.NotOpen : null, outcome.Refusal);
        }
    }

    [Fact]
    public async Task A_checkpoint_that_is_not_kept_is_readable_until_the_grace_period_ends()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (old, both, @new) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        var first = await rig.SaveAsync(old, both);
        var second = await rig.SaveAsync(both, @new);

        await rig.CollectAsync(CheckpointRig.AtOnce with { Grace = TimeSpan.FromHours(1) });
        Assert.Equal(CheckpointState.Retired, (await rig.Store.FindAsync(first.Id, Token))!.State);
        Assert.Equal([old, both], await rig.ReadAsync(first.Id));
        await rig.CollectAsync();

        Assert.Null(await rig.Store.FindAsync(first.Id, Token));
        Assert.False(await rig.IsStoredAsync(old));
        Assert.Equal([both, @new], await rig.ReadAsync(second.Id));
    }

    [Fact]
    public async Task Nothing_is_kept_of_a_job_that_the_ledger_has_forgotten_but_what_another_began_with()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var other = await CheckpointRig.CreateAsync(database);
        var (alone, begun) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        var first = await rig.SaveAsync(null, 2.0, alone);
        var origin = await rig.SaveAsync(null, 1.0, begun);
        await rig.Store.BranchAsync(origin.Id, other.Shard, Token);
        var keepsAll = CheckpointRig.AtOnce with { KeepLast = 10 };
        await rig.CollectAsync(keepsAll);
        Assert.NotNull(await rig.Store.FindAsync(first.Id, Token));

        await rig.ForgetJobAsync();
        await rig.CollectAsync(keepsAll with { Grace = TimeSpan.FromHours(1) });
        Assert.Equal(CheckpointState.Retired, (await rig.Store.FindAsync(first.Id, Token))!.State);
        await rig.CollectAsync(keepsAll);

        Assert.Null(await rig.Store.FindAsync(first.Id, Token));
        Assert.False(await rig.IsStoredAsync(alone));
        Assert.Equal(CheckpointState.Complete, (await rig.Store.FindAsync(origin.Id, Token))!.State);
        Assert.Equal([begun], await rig.ReadAsync(origin.Id));
    }

    [Fact]
    public async Task What_another_job_began_with_is_kept_as_long_as_that_beginning_and_its_bytes_longer()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var other = await CheckpointRig.CreateAsync(database);
        var (blob, own) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        var origin = await rig.SaveAsync(null, 1.5, blob);
        var branch = await rig.Store.BranchAsync(origin.Id, other.Shard, Token);
        await rig.SaveAsync(CheckpointRig.Fresh(10));

        await rig.CollectAsync();

        Assert.Equal(CheckpointState.Complete, (await rig.Store.FindAsync(origin.Id, Token))!.State);
        Assert.Equal(
            (origin.Id, 2, 10L, 1.5),
            (branch!.Parent!.Value, branch.Number, branch.Step, branch.Metrics["loss"])
        );
        Assert.Equal(branch.Id, (await rig.Store.FindLatestAsync(other.Shard, Token))!.Checkpoint.Id);
        Assert.Equal([blob], await rig.ReadAsync(branch.Id));

        var next = await other.SaveAsync(branch.Id, null, blob, own);
        // Whichever shard comes first: the beginning goes in the first pass.
        await rig.CollectAsync();
        await rig.CollectAsync();

        Assert.Null(await rig.Store.FindAsync(origin.Id, Token));
        Assert.Null(await rig.Store.FindAsync(branch.Id, Token));
        Assert.Equal((branch.Id, 3), (next.Parent!.Value, next.Number));
        Assert.Equal([blob, own], await rig.ReadAsync(next.Id));
    }

    [Fact]
    public async Task A_retired_checkpoint_can_be_branched_from_and_the_branch_outlives_it()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var other = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var old = await rig.SaveAsync(blob);
        await rig.SaveAsync(CheckpointRig.Fresh(10));
        await rig.CollectAsync(KeepOpen);
        Assert.Equal(CheckpointState.Retired, (await rig.Store.FindAsync(old.Id, Token))!.State);

        var branch = await rig.Store.BranchAsync(old.Id, other.Shard, Token);
        await rig.CollectAsync();

        Assert.Null(await rig.Store.FindAsync(old.Id, Token));
        Assert.Equal([blob], await rig.ReadAsync(branch!.Id));
    }

    /// <summary>The writer is in the middle of being told: the collection waits for it and then sees its reference.</summary>
    [Fact]
    public async Task A_chunk_that_a_writer_is_being_told_of_is_not_removed()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = await StoreUnreferredAsync(rig);
        var writer = await rig.OpenAsync();
        await using var stop = await Obstacle.PutAsync(
            database,
            "lock table checkpoint_chunk in share row exclusive mode"
        );
        var announcement = rig.AnnounceAsync(writer, blob);
        await Obstacle.UntilWaitedForAsync(database, "relation");
        var collection = rig.CollectAsync(KeepOpen);
        await Obstacle.UntilWaitedForAsync(database, "advisory");
        await stop.RemoveAsync();

        Assert.Empty(await announcement);
        await collection;
        Assert.True(await rig.IsStoredAsync(blob));
        var complete = await rig.Store.CompleteAsync(writer, CheckpointRig.ManifestOf(blob), NoMetrics, Token);
        Assert.Equal([blob], await rig.ReadAsync(complete.Value!.Id));
    }

    /// <summary>The collection is in the middle of removing: the writer waits for it and is then told that it is missing.</summary>
    [Fact]
    public async Task A_chunk_that_is_being_removed_is_told_as_missing()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = await StoreUnreferredAsync(rig);
        var writer = await rig.OpenAsync();
        await using var stop = await Obstacle.PutAsync(
            database,
            "select from chunk where hash = $1 for update",
            ChunkHash.Of(blob).ToArray()
        );
        var collection = rig.CollectAsync(KeepOpen);
        await Obstacle.UntilWaitedForAsync(database, "transactionid");
        var announcement = rig.AnnounceAsync(writer, blob);
        await Obstacle.UntilWaitedForAsync(database, "advisory");
        await stop.RemoveAsync();

        Assert.Equal([ChunkHash.Of(blob)], await announcement);
        await collection;
        Assert.False(await rig.IsStoredAsync(blob));
    }

    [Fact]
    public async Task Writers_beside_a_collection_that_never_rests_lose_nothing()
    {
        var blobs = Enumerable.Range(0, 12).Select(_ => CheckpointRig.Fresh(500)).ToArray();
        var rigs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CheckpointRig.CreateAsync(database)));
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var collecting = CollectAsync(done.Token);

        var saved = await Task.WhenAll(rigs.Select((rig, i) => SaveManyAsync(rig, new Random(i), blobs)));

        await done.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => collecting);
        // The pass that was broken off is ended, or a later test would find its collection busy with this one's.
        await rigs[0].CollectAsync(KeepOpen);
        foreach (var (i, last) in saved.Index())
        {
            var verdict = await rigs[i].Store.VerifyAsync(last.Id, Token);
            Assert.Empty(verdict!.Damaged);
            Assert.Equal(last.ChunkCount, verdict.ChunkCount);
        }
    }

    private static readonly CheckpointRules KeepOpen = CheckpointRig.AtOnce with { Grace = TimeSpan.FromHours(1) };

    /// <summary>A chunk that nothing refers to, and that the next collection looks at.</summary>
    private static async Task<byte[]> StoreUnreferredAsync(CheckpointRig rig)
    {
        var blob = CheckpointRig.Fresh(1000);
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, blob);
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(blob)], Token);
        await rig.AskAsync<int?>(
            "with gone as (delete from checkpoint_chunk where checkpoint = $1 returning hash) insert into chunk_garbage select hash from gone",
            writer.Id.Value
        );
        return blob;
    }

    /// <summary>Each time other chunks of the same few: most are there, and on their way out.</summary>
    private static async Task<CheckpointRecord> SaveManyAsync(CheckpointRig rig, Random random, byte[][] blobs)
    {
        CheckpointRecord? last = null;
        for (var i = 0; i < 25; i++)
            last = await rig.SaveAsync(last?.Id, null, random.GetItems(blobs, 4));
        return last!;
    }

    private async Task CollectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Retired ones have had their time; open ones have not.
            await using var age = database.Source.CreateCommand(
                "update checkpoint set retired_at = '-infinity' where state = 3"
            );
            await age.ExecuteNonQueryAsync(cancellationToken);
            await database.Store.CollectAsync(KeepOpen, cancellationToken);
        }
    }
}
