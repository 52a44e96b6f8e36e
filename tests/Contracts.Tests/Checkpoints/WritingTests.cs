using EgpuFleet.Contracts.Tests.Ledger;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>The way of a checkpoint into the store, and who is kept out.</summary>
public sealed class WritingTests(CheckpointDatabase database) : IClassFixture<CheckpointDatabase>
{
    private static readonly Dictionary<string, double> NoMetrics = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_saved_is_read_back_with_its_lineage()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (large, small, none) = (CheckpointRig.Fresh(1 << 20), CheckpointRig.Fresh(100), CheckpointRig.Fresh(1));
        var first = await rig.SaveAsync(null, 2.5, large, small);
        var second = await rig.SaveAsync(first.Id, 2.25, large, none);

        Assert.Equal(
            (rig.Shard, 1, 2, first.Id, 10L),
            (second.Shard, second.Epoch, second.Number, second.Parent!.Value, second.Step)
        );
        Assert.Equal(
            (CheckpointState.Complete, (1 << 20) + 1L, 2),
            (second.State, second.SizeBytes, second.ChunkCount)
        );
        Assert.Equal(2.25, second.Metrics["loss"]);
        Assert.True(await rig.HoldsAsync(first.Id, large, small));
        Assert.True(await rig.HoldsAsync(second.Id, large, none));
        var listed = await rig.Store.ListAsync(new CheckpointPage(rig.Shard.Job, null, 10), Token);
        Assert.Equal([second.Id, first.Id], listed.Select(checkpoint => checkpoint.Id));
        var rest = await rig.Store.ListAsync(new CheckpointPage(rig.Shard.Job, second.Id, 10), Token);
        Assert.Equal(first.Id, Assert.Single(rest).Id);
        Assert.Equal(second.Id, (await rig.Store.FindLatestAsync(rig.Shard, Token))!.Checkpoint.Id);
        Assert.Equal(
            "e",
            await rig.AskAsync<string>(
                "select string_agg(distinct attstorage::text, '') from pg_attribute where attname = 'data' and attrelid in (select inhrelid from pg_inherits where inhparent = 'chunk'::regclass)"
            )
        );
    }

    [Fact]
    public async Task What_is_stored_already_is_not_asked_for_again()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (kept, changed) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        await rig.SaveAsync(kept);
        var writer = await rig.OpenAsync();

        Assert.Equal([ChunkHash.Of(changed)], await rig.AnnounceAsync(writer, kept, changed));
    }

    [Fact]
    public async Task A_batch_that_is_partly_there_is_stored_all_the_same()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blobs = Enumerable.Range(0, 5).Select(_ => CheckpointRig.Fresh(3000)).ToArray();
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, blobs);
        var first = await rig.Store.StoreAsync(writer, [.. blobs.Take(2).Select(CheckpointRig.ChunkOf)], Token);
        var again = await rig.Store.StoreAsync(writer, [.. blobs.Select(CheckpointRig.ChunkOf)], Token);

        Assert.Equal((2, 3), (first.Value, again.Value));
        var complete = await rig.Store.CompleteAsync(writer, CheckpointRig.ManifestOf(blobs), NoMetrics, Token);
        Assert.Equal(blobs, await rig.ReadAsync(complete.Value!.Id));
    }

    [Fact]
    public async Task Writers_of_the_same_chunks_all_succeed()
    {
        var rigs = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CheckpointRig.CreateAsync(database)));
        var blobs = Enumerable.Range(0, 20).Select(_ => CheckpointRig.Fresh(2000)).ToArray();

        var saved = await Task.WhenAll(
            rigs.Select(rig =>
                rig.SaveAsync([.. blobs.Index().OrderBy(b => b.Index * rig.GetHashCode() % 21).Select(b => b.Item)])
            )
        );

        Assert.All(
            saved,
            checkpoint => Assert.Equal((CheckpointState.Complete, 20), (checkpoint.State, checkpoint.ChunkCount))
        );
    }

    [Fact]
    public async Task Nothing_is_seen_of_a_checkpoint_before_it_is_complete()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var writer = await rig.OpenAsync();
        await AssertUnseenAsync();
        await rig.AnnounceAsync(writer, blob);
        await AssertUnseenAsync();
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(blob)], Token);
        await AssertUnseenAsync();

        async Task AssertUnseenAsync()
        {
            Assert.Null(await rig.Store.FindAsync(writer.Id, Token));
            Assert.Null(await rig.Store.ReadManifestAsync(writer.Id, Token));
            Assert.Null(await rig.Store.VerifyAsync(writer.Id, Token));
            Assert.Null(await rig.Store.BranchAsync(writer.Id, rig.Shard, Token));
            Assert.Null(await rig.Store.FindLatestAsync(rig.Shard, Token));
            Assert.Empty(await rig.Store.ListAsync(new CheckpointPage(rig.Shard.Job, null, 10), Token));
        }
    }

    [Fact]
    public async Task A_writer_without_the_lease_is_refused_at_every_step()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, blob);
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(blob)], Token);
        var stranger = writer with { Node = new NodeId("mac-2") };
        Assert.Equal(CheckpointRefusal.Fenced, (await rig.Store.OpenAsync(rig.Draft(epoch: 2), Token)).Refusal);
        Assert.Equal(CheckpointRefusal.Fenced, (await rig.Store.OpenAsync(rig.Draft(node: "mac-2"), Token)).Refusal);
        await AssertFencedAsync(stranger);

        await rig.Ledger.ReleaseToAnotherAsync(rig.Shard);

        Assert.Equal(CheckpointRefusal.Fenced, (await rig.Store.OpenAsync(rig.Draft(), Token)).Refusal);
        await AssertFencedAsync(writer);
        await AssertFencedAsync(stranger);
        Assert.Null(await rig.Store.FindLatestAsync(rig.Shard, Token));

        async Task AssertFencedAsync(CheckpointWriter who)
        {
            var announced = await rig.Store.AnnounceAsync(who, [ChunkHash.Of(blob)], Token);
            var stored = await rig.Store.StoreAsync(who, [CheckpointRig.ChunkOf(blob)], Token);
            var complete = await rig.Store.CompleteAsync(who, CheckpointRig.ManifestOf(blob), NoMetrics, Token);
            Assert.Equal(CheckpointRefusal.Fenced, announced.Refusal);
            Assert.Equal(CheckpointRefusal.Fenced, stored.Refusal);
            Assert.Equal(CheckpointRefusal.Fenced, complete.Refusal);
        }
    }

    [Fact]
    public async Task A_lease_that_is_lost_while_a_checkpoint_completes_wins()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, blob);
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(blob)], Token);
        // The row is taken, as a leader's turn takes it, and the completion waits for it.
        await using var turn = await Obstacle.PutAsync(
            database,
            "update shard set state = 0 where job = $1",
            rig.Shard.Job.Value
        );
        var complete = rig.Store.CompleteAsync(writer, CheckpointRig.ManifestOf(blob), NoMetrics, Token);
        await Obstacle.UntilWaitedForAsync(database, "transactionid");
        await turn.CommitAsync();

        Assert.Equal(CheckpointRefusal.Fenced, (await complete).Refusal);
        Assert.Null(await rig.Store.FindAsync(writer.Id, Token));
        Assert.Null(await rig.Store.ReadManifestAsync(writer.Id, Token));
    }

    [Fact]
    public async Task A_manifest_and_its_chunks_must_belong_together()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (a, b, c) = (CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000), CheckpointRig.Fresh(1000));
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, a, b);
        var unannounced = await rig.Store.StoreAsync(
            writer,
            [CheckpointRig.ChunkOf(a), CheckpointRig.ChunkOf(c)],
            Token
        );
        Assert.Equal(CheckpointRefusal.Unannounced, unannounced.Refusal);
        Assert.False(await rig.IsStoredAsync(a));
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(a)], Token);
        var longer = CheckpointRig.ManifestOf(a, b);
        longer = new Manifest([longer.Tensors[0] with { SizeBytes = 1001, Shape = [1001] }, longer.Tensors[1]]);

        Assert.Equal(CheckpointRefusal.Incomplete, await CompleteAsync(CheckpointRig.ManifestOf(a, b)));
        Assert.Equal(CheckpointRefusal.Unannounced, await CompleteAsync(CheckpointRig.ManifestOf(a, c)));
        Assert.Equal(CheckpointRefusal.Invalid, await CompleteAsync(CheckpointRig.ManifestOf(a)));
        Assert.Equal(CheckpointRefusal.Invalid, await CompleteAsync(longer));
        Assert.Equal(CheckpointRefusal.Invalid, await CompleteAsync(new Manifest([])));
        await rig.Store.StoreAsync(writer, [CheckpointRig.ChunkOf(b)], Token);
        Assert.Null(await CompleteAsync(CheckpointRig.ManifestOf(a, b)));
        Assert.Equal(CheckpointRefusal.NotOpen, await CompleteAsync(CheckpointRig.ManifestOf(a, b)));

        async Task<CheckpointRefusal?> CompleteAsync(Manifest manifest) =>
            (await rig.Store.CompleteAsync(writer, manifest, NoMetrics, Token)).Refusal;
    }

    [Fact]
    public async Task A_server_that_dies_in_the_middle_of_a_batch_leaves_none_of_it()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blobs = Enumerable.Range(0, 4).Select(_ => CheckpointRig.Fresh(1 << 20)).ToArray();
        var writer = await rig.OpenAsync();
        await rig.AnnounceAsync(writer, blobs);
        // Somebody else is writing one of these very chunks: the copy stops there, with others before it.
        var last = blobs.MaxBy(blob => ChunkHash.Of(blob))!;
        await using var other = await Obstacle.PutAsync(
            database,
            "insert into chunk (hash, size, data) values ($1, $2, $3)",
            ChunkHash.Of(last).ToArray(),
            last.Length,
            last
        );
        var store = rig.Store.StoreAsync(writer, [.. blobs.Select(CheckpointRig.ChunkOf)], Token);
        await Obstacle.UntilWaitedForAsync(database, "transactionid");
        await rig.AskAsync<bool>(
            "select bool_or(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and query like 'copy chunk%' and state = 'active'"
        );

        await Assert.ThrowsAsync<LedgerUnavailableException>(() => store);
        await other.RemoveAsync();
        Assert.False((await Task.WhenAll(blobs.Select(rig.IsStoredAsync))).Contains(true));
        Assert.Equal(4, (await rig.Store.StoreAsync(writer, [.. blobs.Select(CheckpointRig.ChunkOf)], Token)).Value);
    }
}
