using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>Chunks that rot or vanish are noticed, passed over, and healed by the next writer.</summary>
public sealed class DamageTests(CheckpointDatabase database) : IClassFixture<CheckpointDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_corrupt_chunk_makes_the_one_before_it_the_latest()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var (fine, rotten) = (CheckpointRig.Fresh(300_000), CheckpointRig.Fresh(300_000));
        var first = await rig.SaveAsync(fine);
        var second = await rig.SaveAsync(first.Id, null, fine, rotten);
        Assert.Empty((await rig.Store.VerifyAsync(second.Id, Token))!.Damaged);
        await rig.CorruptAsync(rotten);

        var verdict = await rig.Store.VerifyAsync(second.Id, Token);

        Assert.Equal([ChunkHash.Of(rotten)], verdict!.Damaged);
        Assert.Equal((CheckpointState.Damaged, 2), (verdict.Checkpoint.State, verdict.ChunkCount));
        var latest = await rig.Store.FindLatestAsync(rig.Shard, Token);
        Assert.Equal((first.Id, second.Id), (latest!.Checkpoint.Id, Assert.Single(latest.PassedOver).Id));
        Assert.Null(await rig.Store.BranchAsync(second.Id, rig.Shard, Token));
    }

    [Fact]
    public async Task A_writer_of_the_same_bytes_is_asked_for_them_and_heals_what_was_damaged()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var first = await rig.SaveAsync(blob);
        await rig.CorruptAsync(blob);
        await rig.Store.VerifyAsync(first.Id, Token);
        Assert.Null(await rig.Store.FindLatestAsync(rig.Shard, Token));

        var second = await rig.SaveAsync(blob);

        Assert.Equal(CheckpointState.Complete, (await rig.Store.VerifyAsync(first.Id, Token))!.Checkpoint.State);
        Assert.Equal([blob], await rig.ReadAsync(first.Id));
        Assert.Equal([blob], await rig.ReadAsync(second.Id));
    }

    [Fact]
    public async Task A_chunk_that_is_gone_is_damage_too()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blob = CheckpointRig.Fresh(1000);
        var saved = await rig.SaveAsync(blob);
        await rig.AskAsync<int?>("delete from chunk where hash = $1", ChunkHash.Of(blob).ToArray());

        await Assert.ThrowsAsync<ChunkMissingException>(() => rig.ReadAsync(saved.Id));
        Assert.Equal([ChunkHash.Of(blob)], (await rig.Store.VerifyAsync(saved.Id, Token))!.Damaged);
    }

    [Fact]
    public async Task More_chunks_than_one_look_holds_are_all_looked_at()
    {
        var rig = await CheckpointRig.CreateAsync(database);
        var blobs = Enumerable.Range(0, 150).Select(_ => CheckpointRig.Fresh(64)).ToArray();
        var saved = await rig.SaveAsync(blobs);
        await rig.CorruptAsync(blobs[7]);
        await rig.CorruptAsync(blobs[140]);

        var verdict = await rig.Store.VerifyAsync(saved.Id, Token);

        Assert.Equal(150, verdict!.ChunkCount);
        Assert.Equal(new[] { ChunkHash.Of(blobs[7]), ChunkHash.Of(blobs[140]) }.Order(), verdict.Damaged);
    }
}
