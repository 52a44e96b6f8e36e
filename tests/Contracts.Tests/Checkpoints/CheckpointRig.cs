using EgpuFleet.Contracts.Tests.Ledger;
using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>A leased shard, and a writer that takes the steps of a checkpoint one by one.</summary>
internal sealed class CheckpointRig
{
    public static readonly NodeId Node = new("mac-1");

    /// <summary>Keeps the newest one, and waits for nobody.</summary>
    public static readonly CheckpointRules AtOnce = new(1, 0, 0, "loss", TimeSpan.Zero);

    private CheckpointRig(ICheckpointStore store, LedgerRig ledger, ShardId shard, NpgsqlDataSource source) =>
        (Store, Ledger, Shard, Source) = (store, ledger, shard, source);

    public ICheckpointStore Store { get; }

    public LedgerRig Ledger { get; }

    public ShardId Shard { get; }

    private NpgsqlDataSource Source { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<CheckpointRig> CreateAsync(CheckpointDatabase database) =>
        CreateAsync(database.Store, database.Ledger, database.Source);

    public static async Task<CheckpointRig> CreateAsync(ICheckpointStore store, ILedger ledger, NpgsqlDataSource source)
    {
        var rig = await LedgerRig.CreateAsync(ledger);
        return new CheckpointRig(store, rig, await rig.SubmitLeasedAsync(1), source);
    }

    /// <summary>Bytes that occur nowhere else.</summary>
    public static byte[] Fresh(int bytes)
    {
        var data = new byte[bytes];
        new Random(Guid.NewGuid().GetHashCode()).NextBytes(data);
        return data;
    }

    public static Chunk ChunkOf(byte[] data) => new(ChunkHash.Of(data), data);

    /// <summary>A manifest of blobs of one chunk each.</summary>
    public static Manifest ManifestOf(params byte[][] blobs) =>
        new([
            .. blobs.Select(
                (blob, i) =>
                    new ManifestTensor(
                        $"blob.{i}",
                        ElementType.U8,
                        [blob.Length],
                        blob.Length,
                        1 << 20,
                        ChunkHash.Of(blob).ToArray()
                    )
            ),
        ]);

    public CheckpointDraft Draft(int epoch = 1, string node = "mac-1", CheckpointId? parent = null, long step = 10) =>
        new(Shard, epoch, new NodeId(node), step, parent);

    public async Task<CheckpointWriter> OpenAsync(CheckpointId? parent = null)
    {
        var opened = await Store.OpenAsync(Draft(parent: parent), Token);
        Assert.Null(opened.Refusal);
        return new CheckpointWriter(opened.Value, Node);
    }

    public async Task<IReadOnlyList<ChunkHash>> AnnounceAsync(CheckpointWriter writer, params byte[][] blobs)
    {
        var outcome = await Store.AnnounceAsync(
            writer,
            [.. blobs.Select(blob => ChunkHash.Of(blob)).Distinct()],
            Token
        );
        Assert.Null(outcome.Refusal);
        return outcome.Value!;
    }

    public async Task<CheckpointRecord> SaveAsync(CheckpointId? parent, double? loss, params byte[][] blobs)
    {
        var writer = await OpenAsync(parent);
        var missing = (await AnnounceAsync(writer, blobs)).ToHashSet();
        var stored = await Store.StoreAsync(
            writer,
            [.. blobs.Select(ChunkOf).DistinctBy(chunk => chunk.Hash).Where(chunk => missing.Contains(chunk.Hash))],
            Token
        );
        Assert.Null(stored.Refusal);
        var metrics = loss is { } value ? new Dictionary<string, double> { ["loss"] = value } : [];
        var complete = await Store.CompleteAsync(writer, ManifestOf(blobs), metrics, Token);
        Assert.True(complete.Refusal is null, complete.Detail);
        return complete.Value!;
    }

    public Task<CheckpointRecord> SaveAsync(params byte[][] blobs) => SaveAsync(null, null, blobs);

    public async Task<List<byte[]>> ReadAsync(CheckpointId id)
    {
        var manifest = await Store.ReadManifestAsync(id, Token);
        var hashes = manifest!.Tensors.SelectMany(tensor => ChunkHash.ReadAll(tensor.Hashes)).ToArray();
        var read = new List<byte[]>();
        await foreach (var chunk in Store.ReadAsync(hashes, Token))
            read.Add(chunk.ToArray());
        Assert.Equal(hashes, read.Select(chunk => ChunkHash.Of(chunk)));
        return read;
    }

    /// <summary>Whether the checkpoint's chunks are these; for large ones, whose bytes an assertion compares for seconds.</summary>
    public async Task<bool> HoldsAsync(CheckpointId id, params byte[][] blobs)
    {
        var read = await ReadAsync(id);
        return read.Count == blobs.Length
            && read.Zip(blobs).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
    }

    public Task<bool> IsStoredAsync(byte[] blob) =>
        AskAsync<bool>("select exists(select from chunk where hash = $1)", ChunkHash.Of(blob).ToArray());

    public Task<int> CollectAsync() => CollectAsync(AtOnce);

    public async Task<int> CollectAsync(CheckpointRules rules) =>
        (await Store.CollectAsync(rules, Token)).RemovedChunks;

    /// <summary>Its checkpoints are those of a job that is in no table any more.</summary>
    public Task ForgetJobAsync() =>
        AskAsync<int?>("update checkpoint set job = $2 where job = $1", Shard.Job.Value, Guid.NewGuid());

    /// <summary>Other bytes of the same length under the same hash.</summary>
    public Task CorruptAsync(byte[] blob) =>
        AskAsync<int?>(
            "update chunk set data = set_byte(data, 0, 255 - get_byte(data, 0)) where hash = $1",
            ChunkHash.Of(blob).ToArray()
        );

    public async Task<T?> AskAsync<T>(string sql, params object[] values)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return (T?)await command.ExecuteScalarAsync(Token);
    }
}
