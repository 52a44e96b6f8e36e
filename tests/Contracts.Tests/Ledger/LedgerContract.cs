using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>What every ledger must do, run against each implementation.</summary>
public abstract partial class LedgerContract
{
    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected abstract ILedger Ledger { get; }

    [Fact]
    public Task A_deposed_leader_writes_nothing() => FencingChecks.A_deposed_leader_writes_nothing(Ledger);

    [Fact]
    public Task A_stale_epoch_is_refused() => FencingChecks.A_stale_epoch_is_refused(Ledger);

    [Fact]
    public Task An_item_has_one_result() => FencingChecks.An_item_has_one_result(Ledger);

    [Fact]
    public async Task A_held_lease_is_refused_to_others_and_renewed_by_its_holder()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        Assert.Null(await Ledger.AcquireLeadershipAsync(rig.Term.Pool, "silo-b", LedgerRig.Long, Token));
        Assert.NotNull(await Ledger.RenewLeadershipAsync(rig.Term, LedgerRig.Long, Token));
        var again = await Ledger.AcquireLeadershipAsync(rig.Term.Pool, rig.Term.Holder, LedgerRig.Long, Token);
        Assert.Equal(rig.Term.Epoch + 1, again?.Term.Epoch);
        Assert.Null(await Ledger.RenewLeadershipAsync(rig.Term, LedgerRig.Long, Token));
    }

    [Fact]
    public async Task A_released_lease_ends_the_term_and_is_free_at_once()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.SubmitAsync(1);
        await Ledger.ReleaseLeadershipAsync(rig.Term, Token);
        await Assert.ThrowsAsync<LeaderFencedException>(() => rig.CommitAsync(LedgerRig.Cancel(job)));
        var next = await Ledger.AcquireLeadershipAsync(rig.Term.Pool, "silo-b", LedgerRig.Long, Token);
        Assert.Equal(rig.Term.Epoch + 1, next?.Term.Epoch);
        await Ledger.ReleaseLeadershipAsync(rig.Term, Token);
        Assert.NotNull(await Ledger.RenewLeadershipAsync(next!.Term, LedgerRig.Long, Token));
    }

    [Fact]
    public async Task Input_whose_source_throws_leaves_nothing()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var id = LedgerRig.NewId();
        var error = await Assert.ThrowsAsync<FormatException>(() => Ledger.StageItemsAsync(id, Broken(), Token));
        Assert.Equal("line 3", error.Message);
        Assert.False((await rig.CommitAsync(new LedgerOperation.SubmitJob(rig.Spec(id, 2), null))).Applied);
        Assert.Equal(2, await Ledger.StageItemsAsync(id, LedgerRig.Items(2), Token));

        static async IAsyncEnumerable<BatchItem> Broken()
        {
            await foreach (var item in LedgerRig.Items(2))
                yield return item;
            throw new FormatException("line 3");
        }
    }

    [Fact]
    public async Task Input_out_of_order_or_empty_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(() =>
            Ledger.StageItemsAsync(LedgerRig.NewId(), LedgerRig.Items(0), Token)
        );
        await Assert.ThrowsAsync<ArgumentException>(() =>
            Ledger.StageItemsAsync(LedgerRig.NewId(), LedgerRig.Items(3).Reverse(), Token)
        );
    }

    [Fact]
    public async Task A_sweep_takes_old_input_that_no_job_uses()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var submitted = await rig.SubmitAsync(2);
        var unused = await rig.StageAsync(2);
        await Ledger.SweepStagedAsync(TimeSpan.FromHours(1), Token);
        Assert.Equal(2, (await Ledger.ReadItemsAsync(unused, 0, 2, 1000, Token)).Count);
        Assert.True(await Ledger.SweepStagedAsync(TimeSpan.Zero, Token) >= 1);
        Assert.Empty(await Ledger.ReadItemsAsync(unused, 0, 2, 1000, Token));
        Assert.Equal(2, (await Ledger.ReadItemsAsync(submitted, 0, 2, 1000, Token)).Count);
        Assert.False((await rig.CommitAsync(new LedgerOperation.SubmitJob(rig.Spec(unused, 2), null))).Applied);
    }

    [Fact]
    public async Task A_submitted_job_is_found_as_it_was()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.SubmitAsync(3);
        var found = await rig.FindAsync(job);
        Assert.Equivalent(rig.Spec(job, 3), found.Spec, strict: true);
        Assert.Equal((JobState.Queued, 0, 0), (found.State, found.CompletedItems, found.FailedItems));
        Assert.Null(found.StartedAt ?? found.FinishedAt);
        var submitted = Assert.Single(await Ledger.ReadEventsAsync(job, 0, 10, Token));
        Assert.Equal((JobEventKind.Submitted, 3), (submitted.Kind, submitted.ItemCount));
        Assert.Null(await Ledger.FindJobAsync(LedgerRig.NewId(), Token));
    }

    [Fact]
    public async Task A_submit_needs_its_staged_input_and_happens_once()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var staged = await rig.StageAsync(2);
        Assert.False((await rig.CommitAsync(Submit(LedgerRig.NewId(), 1, null))).Applied);
        Assert.False((await rig.CommitAsync(Submit(staged, 3, null))).Applied);
        Assert.True((await rig.CommitAsync(Submit(staged, 2, null))).Applied);
        Assert.False((await rig.CommitAsync(Submit(staged, 2, null))).Applied);

        LedgerOperation Submit(JobId id, int items, IdempotencyKey? key) =>
            new LedgerOperation.SubmitJob(rig.Spec(id, items), key);
    }

    [Fact]
    public async Task An_idempotency_key_makes_one_job_per_tenant()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var other = await LedgerRig.CreateAsync(Ledger);
        var key = new IdempotencyKey("same", new string('1', 64));
        var first = await rig.StageAsync(1);
        var second = await rig.StageAsync(1);
        var foreign = await other.StageAsync(1);
        var outcomes = await Ledger.CommitAsync(
            rig.Term,
            [
                new LedgerOperation.SubmitJob(rig.Spec(first, 1), key),
                new LedgerOperation.SubmitJob(rig.Spec(second, 1), key),
                new LedgerOperation.SubmitJob(rig.Spec(second, 1), key with { BodySha256 = new string('2', 64) }),
            ],
            Token
        );
        Assert.True(outcomes[0].Applied);
        Assert.Equal(new LedgerOutcome(Applied: false, first), outcomes[1]);
        Assert.Equal(new LedgerOutcome(Applied: false, first, KeyReused: true), outcomes[2]);
        Assert.Null(await Ledger.FindJobAsync(second, Token));
        Assert.True((await other.CommitAsync(new LedgerOperation.SubmitJob(other.Spec(foreign, 1), key))).Applied);
    }
}
