using System.Runtime.InteropServices;
using EgpuFleet.Contracts.Tests.Checkpoints;
using EgpuFleet.Contracts.Tests.Ledger;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Postgres.Training;
using EgpuFleet.Silo.Training;
using EgpuFleet.TestKit.Checkers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>A job of several shards, each leased to a node of its own, whose members take the steps of a run one by one.</summary>
internal sealed class RoundRig : IAsyncDisposable
{
    /// <summary>More than one block, so that a tensor is not computed at once.</summary>
    public const int Rows = 300;

    private readonly CheckpointDatabase database;
    private readonly LedgerRig ledger;

    private RoundRig(CheckpointDatabase database, LedgerRig ledger, JobId job)
    {
        (this.database, this.ledger, Job) = (database, ledger, job);
        Rounds = new PostgresRounds(database.ConnectionString, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public JobId Job { get; }

    public PostgresRounds Rounds { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<RoundRig> CreateAsync(CheckpointDatabase database, int members)
    {
        var pool = await LedgerRig.CreateAsync(database.Ledger);
        var job = await pool.SubmitRunningAsync(members);
        var rig = new RoundRig(database, pool, job);
        for (var member = 0; member < members; member++)
            await rig.LeaseAsync(member, 1);
        return rig;
    }

    public static RoundTerms Terms(int microshards, double seconds = 3600) =>
        new(new Microshards(microshards * 4, 4, 1), 0.5, 0.5, seconds);

    public RoundLease Lease(int member, int epoch = 1) =>
        new(new ShardId(Job, member), epoch, new NodeId($"n{member}"));

    public async Task LeaseAsync(int member, int epoch)
    {
        var (shard, device) = (new ShardId(Job, member), LedgerRig.Device($"n{member}"));
        LedgerOperation lease =
            epoch == 1
                ? new LedgerOperation.StartShard(shard, member, 1, device)
                : new LedgerOperation.RestartShard(shard, epoch, device);
        Assert.True((await ledger.CommitAsync(lease)).Applied);
    }

    public async Task LoseAsync(int member, int epoch = 1)
    {
        var requeue = new LedgerOperation.RequeueShard(new ShardId(Job, member), epoch, "lost", CountsAsFailure: false);
        Assert.True((await ledger.CommitAsync(requeue)).Applied);
    }

    /// <summary>Weights of two tensors, all of one value each.</summary>
    public static (string Name, long[] Shape, float[] Values)[] Weights(float large, float small) =>
        [
            ("large", [Rows, 1000], Enumerable.Repeat(large, Rows * 1000).ToArray()),
            ("small", [3], [small, small, small]),
        ];

    public async Task<RoundRun> BeginAsync(int member, RoundTerms terms)
    {
        var (id, manifest) = await SendAsync(member, 1, Weights(1, 2), DeltaEncoding.F32);
        var begun = await Rounds.BeginAsync(Lease(member), terms, id, manifest, Token);
        Assert.True(begun.Reply == RoundReply.Accepted, begun.Detail);
        return begun.Run!;
    }

    public async Task<IReadOnlyList<int>> TakeAsync(int member, int total, int epoch = 1)
    {
        Assert.Equal(RoundReply.Accepted, (await Rounds.JoinAsync(Lease(member, epoch), Token)).Reply);
        var round = (await Rounds.FindAsync(Job, Token))!.State.Round;
        var taken = await Rounds.TakeAsync(Lease(member, epoch), round, total, Token);
        Assert.Equal(RoundReply.Accepted, taken.Reply);
        return taken.Run!.State.Find(member)!.Leased;
    }

    public async Task<RoundWork> WorkAsync(
        int member,
        IReadOnlyList<int> microshards,
        (string, long[], float[])[] delta,
        DeltaEncoding encoding = DeltaEncoding.F32,
        long tokens = 100,
        int epoch = 1
    )
    {
        var run = (await Rounds.FindAsync(Job, Token))!;
        var (id, manifest) = await SendAsync(member, epoch, delta, encoding);
        return new RoundWork(run.State.Round, run.State.Base, id, encoding, manifest, tokens, microshards);
    }

    public async Task ContributeAsync(int member, RoundWork work, int epoch = 1)
    {
        var outcome = await Rounds.ContributeAsync(Lease(member, epoch), work, Token);
        Assert.True(outcome.Reply == RoundReply.Accepted, $"{outcome.Reply} {outcome.Detail}");
    }

    /// <summary>What any silo does about rounds that can be closed; the run as it is then.</summary>
    public async Task<RoundState> CloseAsync(IRoundStore? rounds = null)
    {
        var closer = new RoundCloser(
            rounds ?? Rounds,
            database.Store,
            new RoundSignals(),
            TimeProvider.System,
            NullLogger<RoundCloser>.Instance
        );
        await closer.PassAsync(Token);
        return (await Rounds.FindAsync(Job, Token))!.State;
    }

    public async Task<RoundPhase> PhaseAsync() => (await Rounds.FindAsync(Job, Token))!.State.Phase;

    public async Task<Dictionary<string, float[]>> BaseAsync()
    {
        var run = (await Rounds.FindAsync(Job, Token))!;
        var manifest = await database.Store.ReadManifestAsync(run.Checkpoint, Token);
        var tensors = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (var tensor in manifest!.Tensors)
        {
            var bytes = new List<byte>();
            await foreach (var chunk in database.Store.ReadAsync(ChunkHash.ReadAll(tensor.Hashes), Token))
                bytes.AddRange(chunk.ToArray());
            tensors[tensor.Name] = MemoryMarshal.Cast<byte, float>(CollectionsMarshal.AsSpan(bytes)).ToArray();
        }
        return tensors;
    }

    /// <summary>No microshard applied twice, none lost: in the table that says which were.</summary>
    public async Task<int> CheckAsync()
    {
        var run = (await Rounds.FindAsync(Job, Token))!;
        var applied = await Rounds.AppliedAsync(Job, Token);
        Assert.Empty(
            MicroshardRules.OneApplication(
                run.Terms.Data.Count,
                [.. applied.Select(one => new AppliedMicroshard(one.Round, one.Microshard))],
                run.State.Phase == RoundPhase.Finished
            )
        );
        return applied.Count;
    }

    public async Task<T?> AskAsync<T>(string sql)
    {
        await using var command = database.Source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Job.Value });
        return (T?)await command.ExecuteScalarAsync(Token);
    }

    public ValueTask DisposeAsync() => Rounds.DisposeAsync();

    /// <summary>An open checkpoint of a member with all chunks of these tensors.</summary>
    private async Task<(CheckpointId Id, Manifest Manifest)> SendAsync(
        int member,
        int epoch,
        (string Name, long[] Shape, float[] Values)[] tensors,
        DeltaEncoding encoding
    )
    {
        var lease = Lease(member, epoch);
        var opened = await database.Store.OpenAsync(
            new CheckpointDraft(lease.Shard, epoch, lease.Node, 0, null),
            Token
        );
        Assert.Null(opened.Refusal);
        var writer = new CheckpointWriter(opened.Value, lease.Node);
        var (manifest, chunks) = Encoded.Of(tensors, encoding);
        await database.Store.AnnounceAsync(writer, [.. chunks.Select(chunk => chunk.Hash)], Token);
        foreach (var batch in chunks.Chunk(16))
            Assert.Null((await database.Store.StoreAsync(writer, batch, Token)).Refusal);
        return (writer.Id, manifest);
    }
}
