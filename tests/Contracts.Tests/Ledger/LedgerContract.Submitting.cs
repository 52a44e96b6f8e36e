using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Contracts.Tests.Ledger;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task Few_items_come_with_their_job()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var spec = rig.Spec(LedgerRig.NewId(), 3);
        var wrong = new LedgerOperation.SubmitJob(spec, null, LedgerRig.ItemList(2));
        Assert.False((await rig.CommitAsync(wrong)).Applied);
        var outcome = await rig.CommitAsync(LedgerRig.Inline(spec));
        Assert.True(outcome.Applied);
        Assert.False((await rig.CommitAsync(LedgerRig.Inline(spec))).Applied);
        var found = await rig.FindAsync(spec.Id);
        Assert.Equal((JobState.Queued, outcome.CreatedAt), (found.State, found.CreatedAt));
        Assert.Equivalent(spec, found.Spec, strict: true);
        var expected = LedgerRig.ItemList(3);
        Assert.Equal(expected, await Ledger.ReadItemsAsync(spec.Id, 0, 3, 100_000, Token));
        Assert.Equal(expected[1..2], await Ledger.ReadItemsAsync(spec.Id, 1, 5, 1, Token));
    }

    [Fact]
    public async Task A_noop_needs_no_model()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var spec = rig.Spec(LedgerRig.NewId(), 1) with
        {
            Kind = JobKind.Noop,
            Model = null,
            Generation = null,
            Noop = new NoopParameters(5, NoopFault.Hang),
        };
        Assert.True((await rig.CommitAsync(LedgerRig.Inline(spec))).Applied);
        Assert.Equivalent(spec, (await rig.FindAsync(spec.Id)).Spec, strict: true);
        var queued = Assert.Single(await rig.BacklogAsync());
        Assert.Equal((JobKind.Noop, null), (queued.Kind, queued.Model));
    }

    [Fact]
    public async Task A_tune_is_kept_with_its_model_and_its_time()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var spec = rig.Spec(LedgerRig.NewId(), 1) with
        {
            Kind = JobKind.Tune,
            Generation = null,
            Tune = new TuneParameters(45),
        };
        Assert.True((await rig.CommitAsync(LedgerRig.Inline(spec))).Applied);
        Assert.Equivalent(spec, (await rig.FindAsync(spec.Id)).Spec, strict: true);
        var queued = Assert.Single(await rig.BacklogAsync());
        Assert.Equal((JobKind.Tune, spec.Model), (queued.Kind, queued.Model));
    }

    [Fact]
    public async Task A_training_run_is_kept_with_all_its_parameters()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var train = new TrainParameters(
            TrainingMethod.Full,
            Adapter: null,
            new TrainingFile("file-1", new string('a', 64), 1_000),
            new TrainingFile("file-2", new string('b', 64), 10),
            Epochs: 3,
            MaxSteps: 100,
            BatchRows: 4,
            RowTokens: 512,
            new OptimizerParameters(2.5e-4, 0.05, RateSchedule.Constant, 0.01, 1),
            Seed: -7,
            Result: "ft:base:default::1",
            Engine: "torch",
            StartFrom: "ckpt-1",
            EvaluateEverySteps: 7,
            CheckpointSeconds: 30
        );
        var adapter = new AdapterParameters(16, 32, ["attn_q", "ffn_up"], FrozenA: true);
        var full = rig.Spec(LedgerRig.NewId(), 1) with { Kind = JobKind.Train, Generation = null, Train = train };
        var lora = full with
        {
            Id = LedgerRig.NewId(),
            Train = train with { Method = TrainingMethod.Lora, Adapter = adapter, Engine = null },
        };
        Assert.True((await rig.CommitAsync(LedgerRig.Inline(full))).Applied);
        Assert.True((await rig.CommitAsync(LedgerRig.Inline(lora))).Applied);
        Assert.Equivalent(full, (await rig.FindAsync(full.Id)).Spec, strict: true);
        Assert.Equivalent(lora, (await rig.FindAsync(lora.Id)).Spec, strict: true);
        var queued = (await rig.BacklogAsync()).ToDictionary(job => job.Id);
        Assert.Equal((JobKind.Train, full.Model), (queued[full.Id].Kind, queued[full.Id].Model));
        Assert.Equal(new TrainNeeds(TrainingMethod.Full, "torch"), queued[full.Id].Train);
        Assert.Equal(new TrainNeeds(TrainingMethod.Lora, null), queued[lora.Id].Train);
    }

    [Fact]
    public async Task Work_of_many_shards_is_read_at_once()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var staged = await rig.SubmitRunningAsync(4);
        var inline = rig.Spec(LedgerRig.NewId(), 3);
        await rig.CommitAsync(LedgerRig.Inline(inline));
        await rig.CommitAsync(new LedgerOperation.StartShard(new ShardId(staged, 0), 0, 4, LedgerRig.Device("mac-1")));
        await rig.CommitAsync(
            new LedgerOperation.RecordResults(new ShardId(staged, 0), 1, [LedgerRig.Text(1, "done")])
        );
        WorkRange[] ranges = [new(inline.Id, 1, 2), new(staged, 0, 3), new(staged, 1, 1), new(inline.Id, 0, 1)];
        var work = await Ledger.ReadWorkAsync(ranges, 100_000, Token);
        Assert.Equal([inline.Id, staged, staged, inline.Id], work.Select(w => w.Spec.Id));
        Assert.Equivalent(inline, work[0].Spec, strict: true);
        int[][] expected =
        [
            [1, 2],
            [0, 2],
            [],
            [0],
        ];
        Assert.Equal(expected, work.Select(w => w.Items.Select(i => i.Index).ToArray()));
        await Assert.ThrowsAsync<KeyNotFoundException>(() =>
            Ledger.ReadWorkAsync([new(LedgerRig.NewId(), 0, 1)], 1, Token)
        );
    }

    [Fact]
    public async Task Dependencies_block_a_job_until_they_end_as_they_must()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var first = await rig.SubmitLeasedAsync(1);
        var afterOk = rig.Spec(LedgerRig.NewId(), 1).After((first.Job, DependencyCondition.AfterOk));
        var second = rig.Spec(LedgerRig.NewId(), 1);
        var afterBoth = rig.Spec(LedgerRig.NewId(), 1)
            .After((first.Job, DependencyCondition.AfterOk), (second.Id, DependencyCondition.AfterAny));
        var outcomes = await Ledger.CommitAsync(
            rig.Term,
            [LedgerRig.Inline(afterOk), LedgerRig.Inline(second), LedgerRig.Inline(afterBoth)],
            Token
        );
        Assert.Equal([JobState.Blocked, JobState.Queued, JobState.Blocked], outcomes.Select(o => o.State));
        Assert.Equal([JobState.Running], outcomes[0].Dependencies);
        Assert.Equal([JobState.Running, JobState.Queued], outcomes[2].Dependencies);
        var waiting = (await rig.BacklogAsync()).Single(job => job.Id == afterBoth.Id);
        Assert.Equal(afterBoth.Rules.DependsOn.Zip([JobState.Running, JobState.Queued]).ToList(), waiting.Dependencies);
        Assert.False((await rig.CommitAsync(new LedgerOperation.StartJob(afterOk.Id))).Applied);
        var ends = await Ledger.CommitAsync(
            rig.Term,
            [
                new LedgerOperation.RecordResults(first, 1, [LedgerRig.Text(0, "a")]),
                new LedgerOperation.SucceedJob(first.Job),
                new LedgerOperation.UnblockJob(afterOk.Id),
                new LedgerOperation.UnblockJob(afterBoth.Id),
                new LedgerOperation.StartJob(afterOk.Id),
            ],
            Token
        );
        Assert.Equal([true, true, true, false, true], ends.Select(o => o.Applied));
        ends = await Ledger.CommitAsync(
            rig.Term,
            [LedgerRig.Cancel(second.Id), new LedgerOperation.UnblockJob(afterBoth.Id)],
            Token
        );
        Assert.All(ends, outcome => Assert.True(outcome.Applied));
        var after = rig.Spec(LedgerRig.NewId(), 1).After((first.Job, DependencyCondition.AfterOk));
        Assert.Equal(JobState.Queued, (await rig.CommitAsync(LedgerRig.Inline(after))).State);
    }

    [Fact]
    public async Task A_failed_dependency_blocks_for_good_and_an_unknown_one_refuses()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        await ClockChecks.A_job_is_unblocked_only_when_its_dependencies_are_met(rig);
        var unknown = rig.Spec(LedgerRig.NewId(), 1)
            .After(
                ((await rig.SubmitAsync(1)), DependencyCondition.AfterAny),
                (LedgerRig.NewId(), DependencyCondition.AfterAny)
            );
        var refused = await rig.CommitAsync(LedgerRig.Inline(unknown));
        Assert.False(refused.Applied);
        Assert.Equal([JobState.Queued, null], refused.Dependencies);
        Assert.Null(await Ledger.FindJobAsync(unknown.Id, Token));
    }

    [Fact]
    public async Task A_blocked_job_that_is_held_is_released_into_its_wait()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var first = await rig.SubmitAsync(1);
        var waiting = rig.Spec(LedgerRig.NewId(), 1).After((first, DependencyCondition.AfterAny));
        await rig.CommitAsync(LedgerRig.Inline(waiting));
        Assert.True((await rig.CommitAsync(new LedgerOperation.HoldJob(waiting.Id))).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.UnblockJob(waiting.Id))).Applied);
        var released = await rig.CommitAsync(new LedgerOperation.ReleaseJob(waiting.Id));
        Assert.Equal((true, JobState.Blocked), (released.Applied, released.State));
        Assert.Equal([JobState.Queued], released.Dependencies);
        await rig.CommitAsync(new LedgerOperation.HoldJob(waiting.Id));
        await rig.CommitAsync(LedgerRig.Cancel(first));
        Assert.Equal(JobState.Queued, (await rig.CommitAsync(new LedgerOperation.ReleaseJob(waiting.Id))).State);
        var events = await Ledger.ReadEventsAsync(waiting.Id, 0, 100, Token);
        Assert.Equal(
            [JobEventKind.Blocked, JobEventKind.Held, JobEventKind.Released, JobEventKind.Blocked],
            events.Skip(1).Take(4).Select(e => e.Kind)
        );
    }
}
