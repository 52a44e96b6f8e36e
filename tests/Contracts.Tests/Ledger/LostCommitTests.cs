using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
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
        await LostTurnChecks.A_turn_whose_answer_is_lost_is_done_once(database.ConnectionString, (Cut)where);
    }

    [Theory]
    [InlineData((int)Cut.BeforeTurn)]
    [InlineData((int)Cut.DuringTurn)]
    [InlineData((int)Cut.AfterTurn)]
    public async Task What_a_lost_turn_did_is_told_of_every_kind_of_operation(int where)
    {
        var direct = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var proxy = new CuttingProxy(direct.Port);
        direct.Port = proxy.Port;
        await using var cut = new PostgresLedger(
            direct.ConnectionString,
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var told = await EveryKindAsync(database.Ledger, _ => { });
        var lost = await EveryKindAsync(cut, pool => proxy.CutNext((Cut)where, pool));
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(told, lost);
    }

    /// <summary>One turn with every kind of operation, applied and refused; returns what is the same in every run.</summary>
    private static async Task<List<string>> EveryKindAsync(PostgresLedger ledger, Action<PoolId> beforeTurn)
    {
        var rig = await LedgerRig.CreateAsync(ledger);
        var shard = await rig.SubmitLeasedAsync(3);
        var other = await rig.SubmitLeasedAsync(1);
        var paused = (await rig.SubmitLeasedAsync(1)).Job;
        var plain = rig.Spec(LedgerRig.NewId(), 1);
        var keyed = rig.Spec(LedgerRig.NewId(), 1);
        var key = new IdempotencyKey("key", new string('1', 64));
        var waiting = rig.Spec(LedgerRig.NewId(), 1).After((plain.Id, DependencyCondition.AfterAny));
        var held = rig.Spec(LedgerRig.NewId(), 1).After((shard.Job, DependencyCondition.AfterOk));
        held = held with { Rules = held.Rules with { StartsHeld = true } };
        var cancel = new JobEnd(JobEndCode.Cancelled, "x");
        LedgerOperation[] turn =
        [
            LedgerRig.Inline(plain),
            LedgerRig.Inline(keyed, key),
            LedgerRig.Inline(rig.Spec(LedgerRig.NewId(), 1), key),
            LedgerRig.Inline(rig.Spec(LedgerRig.NewId(), 1), key with { BodySha256 = new string('2', 64) }),
            LedgerRig.Inline(waiting),
            LedgerRig.Inline(held),
            LedgerRig.Inline(rig.Spec(LedgerRig.NewId(), 1).After((LedgerRig.NewId(), DependencyCondition.AfterAny))),
            new LedgerOperation.HoldJob(keyed.Id),
            new LedgerOperation.UnblockJob(waiting.Id),
            new LedgerOperation.ReleaseJob(held.Id),
            new LedgerOperation.PauseJob(paused),
            new LedgerOperation.ResumeJob(paused),
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "a"), LedgerRig.Error(2)]),
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "b"), LedgerRig.Text(1, "b")]),
            new LedgerOperation.RecordResults(shard, 1, []),
            new LedgerOperation.RecordResults(shard, 2, [LedgerRig.Text(1, "c")]),
            new LedgerOperation.FinishShard(shard, 1),
            new LedgerOperation.RecordResults(shard, 1, []),
            new LedgerOperation.SucceedJob(shard.Job),
            new LedgerOperation.RequeueShard(other, 1, "lost", CountsAsFailure: true),
            new LedgerOperation.RestartShard(other, 2, LedgerRig.Device("mac-2")),
            new LedgerOperation.FailShard(other, 2, "no"),
            new LedgerOperation.EndJob(other.Job, JobState.Failed, cancel with { Code = JobEndCode.WorkFailed }),
            new LedgerOperation.EndJob(other.Job, JobState.Cancelled, cancel),
            new LedgerOperation.StartJob(plain.Id),
            new LedgerOperation.StartShard(new ShardId(plain.Id, 0), 0, 2, LedgerRig.Device("mac-1")),
            new LedgerOperation.StartShard(new ShardId(plain.Id, 0), 0, 1, LedgerRig.Device("mac-1")),
            new LedgerOperation.ExpireJob(plain.Id, new JobEnd(JobEndCode.DeadlineExceeded, "x")),
        ];
        beforeTurn(rig.Term.Pool);
        var outcomes = await ledger.CommitAsync(rig.Term, turn, Token);
        var jobs = turn.OfType<LedgerOperation.SubmitJob>().Select(o => o.Spec.Id).ToList();
        return [.. turn.Zip(outcomes, (operation, outcome) => Told(operation, outcome, jobs))];
    }

    private static string Told(LedgerOperation operation, LedgerOutcome outcome, List<JobId> jobs) =>
        string.Join(
            ' ',
            operation.GetType().Name,
            outcome.Applied,
            outcome.State,
            outcome.Sequence > 0,
            outcome.KeyReused,
            outcome.ExistingJob is { } existing ? jobs.IndexOf(existing) : -1,
            outcome.CreatedAt > default(DateTimeOffset),
            $"[{string.Join(',', outcome.NewResults ?? [])}]",
            $"[{string.Join(',', outcome.Dependencies?.Select(state => state is null ? "none" : "known") ?? [])}]"
        );

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
