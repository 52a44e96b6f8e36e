using EgpuFleet.Contracts.Tests.Ledger;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.FineTuning;

/// <summary>What holds of fine-tuning runs and their notes, on a real database.</summary>
public sealed class FineTuningStoreTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>, IAsyncDisposable
{
    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(database.ConnectionString);

    private static readonly NodeId Node = new("mac-1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private FineTuningTables Store => new(source);

    public ValueTask DisposeAsync() => source.DisposeAsync();

    [Fact]
    public async Task A_run_is_found_and_listed_once_its_job_is_there()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var (first, second) = (LedgerRig.NewId(), LedgerRig.NewId());
        await Store.AddAsync(Run(rig, first, ("team", "a"), ("x", "\"quoted\" ß")), Token);
        await Store.AddAsync(Run(rig, second), Token);
        Assert.Empty(await ListAsync(rig));
        await rig.CommitAsync(LedgerRig.Inline(rig.Spec(first, 1)));
        await rig.CommitAsync(LedgerRig.Inline(rig.Spec(second, 1)));

        Assert.Equal([second, first], (await ListAsync(rig)).Select(run => run.Job));
        Assert.Equal([first], (await ListAsync(rig, after: second)).Select(run => run.Job));
        Assert.Equal([first], (await ListAsync(rig, metadata: ("team", "a"))).Select(run => run.Job));
        Assert.Empty(await ListAsync(rig, metadata: ("team", "b")));
        Assert.Empty(await ListAsync(await LedgerRig.CreateAsync(database.Ledger)));
        var found = await Store.FindAsync(first, Token);
        Assert.Equivalent(Run(rig, first, ("team", "a"), ("x", "\"quoted\" ß")), found, strict: true);
        Assert.Null((await Store.FindAsync(second, Token))!.Metadata);

        await Store.RemoveAsync(first, Token);
        Assert.NotNull(await Store.FindAsync(first, Token));
        var never = LedgerRig.NewId();
        await Store.AddAsync(Run(rig, never), Token);
        await Store.RemoveAsync(never, Token);
        Assert.Null(await Store.FindAsync(never, Token));
    }

    [Fact]
    public async Task Notes_are_kept_once_and_only_of_who_holds_the_lease()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        Assert.Equal(NotesOutcome.Unknown, await NoteAsync(shard, 1, Loss(1, 4.5)));
        await Store.AddAsync(Run(rig, shard.Job), Token);
        Assert.Equal(NotesOutcome.Kept, await NoteAsync(shard, 1, Loss(1, 4.5), Words(1, "begun"), Loss(2, 4.25)));
        Assert.Equal(NotesOutcome.Kept, await NoteAsync(shard, 1, Words(1, "begun"), Loss(2, 4.25), Words(2, "begun")));
        Assert.Equal(NotesOutcome.Fenced, await NoteAsync(shard, 2, Loss(3, 4)));
        Assert.Equal(NotesOutcome.Fenced, await Store.NoteAsync(shard, 1, new NodeId("mac-2"), [Loss(3, 4)], Token));
        await rig.ReleaseToAnotherAsync(shard);
        Assert.Equal(NotesOutcome.Fenced, await NoteAsync(shard, 1, Loss(3, 4)));

        var notes = (await EventsAsync(shard.Job, oldestFirst: true)).Where(e => e.Note is not null).ToList();
        Assert.Equal(
            [(1, null), (1, "begun"), (2, null), (2, "begun")],
            notes.Select(e => (e.Note!.Step, e.Note.Text))
        );
        Assert.Equal(4.25, notes[2].Note!.Metrics!["train_loss"]);
        var metrics = await Store.ReadMetricsAsync([shard.Job, LedgerRig.NewId()], 1, Token);
        Assert.Equal(2, Assert.Single(metrics[shard.Job]).Note!.Step);
        Assert.Equal([1, 0], metrics.Select(one => one.Value.Count));
    }

    [Fact]
    public async Task The_log_and_the_notes_are_one_story_in_pages_from_either_end()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        await Store.AddAsync(Run(rig, shard.Job), Token);
        await NoteAsync(shard, 1, [.. Enumerable.Range(1, 5).Select(step => Loss(step, 1.0 / step))]);
        await rig.CommitAsync(LedgerRig.Cancel(shard.Job));

        var all = await EventsAsync(shard.Job, oldestFirst: true);
        Assert.Equal(9, all.Count);
        Assert.Equal(JobEventKind.Submitted, all[0].Line?.Kind);
        Assert.Equal(JobEventKind.Cancelled, all[^1].Line?.Kind);
        Assert.Equal([1, 2, 3, 4, 5], all.Where(e => e.Note is not null).Select(e => e.Note!.Step));
        foreach (var oldestFirst in new[] { true, false })
        {
            var seen = new List<FineTuningEventId>();
            for (FineTuningEventId? after = null; ; after = seen[^1])
            {
                var page = await EventsAsync(shard.Job, oldestFirst, after, limit: 2);
                seen.AddRange(page.Select(e => e.Id));
                if (page.Count < 2)
                    break;
            }
            var expected = all.Select(e => e.Id);
            Assert.Equal(oldestFirst ? expected : expected.Reverse(), seen);
        }
        Assert.Empty(
            await EventsAsync(shard.Job, oldestFirst: true, new FineTuningEventId(IsNote: true, long.MaxValue))
        );
        Assert.Empty(await EventsAsync(LedgerRig.NewId(), oldestFirst: true));
    }

    [Fact]
    public async Task A_run_that_tells_too_much_is_cut_off_and_says_so()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        await Store.AddAsync(Run(rig, shard.Job), Token);
        await using var fill = source.CreateCommand("update fine_tuning_job set notes = $1 where job = $2");
        fill.Parameters.Add(new() { Value = Grains.Limits.NotesPerRun - 1 });
        fill.Parameters.Add(new() { Value = shard.Job.Value });
        await fill.ExecuteNonQueryAsync(Token);

        Assert.Equal(NotesOutcome.Kept, await NoteAsync(shard, 1, Loss(1, 3), Loss(2, 2)));
        Assert.Equal(NotesOutcome.Kept, await NoteAsync(shard, 1, Loss(3, 1)));

        var notes = (await EventsAsync(shard.Job, oldestFirst: true)).Where(e => e.Note is not null).ToList();
        Assert.Equal([TrainingNoteKind.Metrics, TrainingNoteKind.Warning], notes.Select(e => e.Note!.Kind));
    }

    [Fact]
    public async Task What_the_ledger_never_knew_is_swept()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        var never = LedgerRig.NewId();
        await Store.AddAsync(Run(rig, shard.Job), Token);
        await Store.AddAsync(Run(rig, never), Token);
        Assert.Equal(0, await Store.SweepAsync(TimeSpan.FromDays(1), Token));
        Assert.True(await Store.SweepAsync(TimeSpan.Zero, Token) >= 1);
        Assert.Null(await Store.FindAsync(never, Token));
        Assert.NotNull(await Store.FindAsync(shard.Job, Token));
    }

    private Task<NotesOutcome> NoteAsync(ShardId shard, int epoch, params TrainingNote[] notes) =>
        Store.NoteAsync(shard, epoch, Node, notes, Token);

    private Task<IReadOnlyList<FineTuningRun>> ListAsync(
        LedgerRig rig,
        JobId? after = null,
        (string Key, string Value)? metadata = null
    )
    {
        var pairs = metadata is { } pair ? new Dictionary<string, string> { [pair.Key] = pair.Value } : null;
        return Store.ListAsync(new FineTuningPage(rig.Tenant, after, 10, pairs), Token);
    }

    private Task<IReadOnlyList<FineTuningEvent>> EventsAsync(
        JobId job,
        bool oldestFirst,
        FineTuningEventId? after = null,
        int limit = 100
    ) => Store.ReadEventsAsync(new FineTuningEventPage(job, after, limit, oldestFirst), Token);

    private static FineTuningRun Run(LedgerRig rig, JobId job, params (string Key, string Value)[] metadata) =>
        new(
            job,
            rig.Tenant,
            metadata.Length == 0 ? null : metadata.ToDictionary(pair => pair.Key, pair => pair.Value),
            new FineTuningAsk("mine", 2.5, new Dictionary<string, string> { ["n_epochs"] = "Few samples." })
        );

    private static TrainingNote Loss(long step, double loss) =>
        new(TrainingNoteKind.Metrics, step, null, new Dictionary<string, double> { ["train_loss"] = loss });

    private static TrainingNote Words(long step, string text) => new(TrainingNoteKind.Message, step, text, null);
}
