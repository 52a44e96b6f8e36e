using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class ReportQueueTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    private readonly TestClock clock = new();
    private readonly AdvancingTime time = new();
    private readonly GatedReports pool = new();
    private readonly SleepWatch watch;
    private readonly ReportQueue queue;

    public ReportQueueTests()
    {
        watch = new SleepWatch(clock, new FakeTimeProvider());
        queue = new ReportQueue(pool, time, NullLogger<ReportQueue>.Instance);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_given_together_go_together_and_those_that_come_meanwhile_in_the_next_calls()
    {
        var all = Enumerable.Range(0, 200).Select(i => new Sent(this, i)).ToArray();
        queue.Send([.. all.Take(3).Select(sent => sent.Pending)]);
        Assert.Equal(3, (await pool.NextAsync()).Count);
        foreach (var sent in all.Skip(3))
            queue.Send([sent.Pending]);
        pool.Open();
        foreach (var sent in all)
            Assert.Equal(ReportFate.Accepted, await sent.Fate.WaitAsync(Token));
        Assert.Equal(0, queue.KeptBytes);
        // The calls that were free took one each or a few; the rest went in what was left of them.
        Assert.True(pool.Calls <= 2 * NodeAgent.Limits.ReportCalls + 2, $"{pool.Calls} calls for 200 reports");
    }

    [Fact]
    public async Task During_an_outage_every_report_is_kept_and_arrives_once_the_pool_is_back()
    {
        var refusals = 0;
        pool.Answer = _ =>
            Interlocked.Increment(ref refusals) <= 500 ? throw new TimeoutException() : ReportReply.Accepted;
        pool.Open();
        var all = Enumerable.Range(0, 100).Select(i => new Sent(this, i)).ToArray();
        queue.Send([.. all.Select(sent => sent.Pending)]);
        foreach (var sent in all)
            Assert.Equal(ReportFate.Accepted, await sent.Fate.WaitAsync(Token));
        Assert.True(refusals > 500);
        Assert.Equal(0, queue.KeptBytes);
    }

    [Fact]
    public async Task A_report_that_nobody_ever_takes_is_given_up_with_its_lease_and_holds_up_no_other()
    {
        var poison = new Sent(this, 0);
        pool.Answer = report =>
            report.Lease == poison.Lease.Key ? throw new InvalidOperationException("poison") : ReportReply.Accepted;
        pool.Open();
        var others = Enumerable.Range(1, 50).Select(i => new Sent(this, i)).ToArray();
        queue.Send([poison.Pending, .. others.Select(sent => sent.Pending)]);
        foreach (var sent in others)
            Assert.Equal(ReportFate.Accepted, await sent.Fate.WaitAsync(Token));
        Assert.False(poison.Fate.IsCompleted);
        poison.Lease.End("its deadline passed");
        Assert.Equal(ReportFate.LeaseEnded, await poison.Fate.WaitAsync(Token));
        Assert.Equal(0, queue.KeptBytes);
    }

    [Fact]
    public async Task A_fenced_report_ends_its_lease_and_no_other()
    {
        var fenced = new Sent(this, 0);
        var other = new Sent(this, 1);
        pool.Answer = report => report.Lease == fenced.Lease.Key ? ReportReply.Fenced : ReportReply.Accepted;
        pool.Open();
        queue.Send([fenced.Pending, other.Pending]);
        Assert.Equal(ReportFate.LeaseEnded, await fenced.Fate.WaitAsync(Token));
        Assert.Equal(ReportFate.Accepted, await other.Fate.WaitAsync(Token));
        Assert.Contains("fenced", fenced.Lease.EndReason, StringComparison.Ordinal);
        Assert.Null(other.Lease.EndReason);
    }

    [Fact]
    public async Task After_a_sleep_only_reports_of_confirmed_leases_are_sent()
    {
        pool.Open();
        var (early, late) = (new Sent(this, 0), new Sent(this, 1));
        clock.Now += Duration / 2;
        early.Lease.Renew(clock.Now, Duration, watch.Look());
        queue.Send([early.Pending, late.Pending]);
        Assert.Equal(ReportFate.Accepted, await early.Fate.WaitAsync(Token));
        Assert.Equal([early.Lease.Key], (await pool.NextAsync()).Select(report => report.Lease));
        late.Lease.Renew(clock.Now, Duration, watch.Look());
        Assert.Equal(ReportFate.Accepted, await late.Fate.WaitAsync(Token));
    }

    [Fact]
    public async Task After_a_sleep_past_the_deadline_nothing_is_sent()
    {
        pool.Open();
        var sent = new Sent(this, 0);
        clock.Now += Duration;
        queue.Send([sent.Pending]);
        Assert.Equal(ReportFate.LeaseEnded, await sent.Fate.WaitAsync(Token));
        Assert.Equal(0, pool.Calls);
    }

    [Fact]
    public async Task A_sender_that_waits_is_told_of_the_end_of_its_lease_while_the_pool_does_not_answer()
    {
        using var lease = new HeldLease(Leases.Key(), Duration, watch);
        var sending = queue.SendAsync(lease, ShardOutcome.Progress, [], null);
        await pool.NextAsync();
        lease.End("revoked");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    /// <summary>One report with a lease of its own.</summary>
    private sealed class Sent
    {
        private readonly TaskCompletionSource<ReportFate> fate = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );

        public Sent(ReportQueueTests test, int shard)
        {
            Lease = new HeldLease(Leases.Key(shard), Duration, test.watch);
            var report = new ShardReport(Lease.Key, ShardOutcome.Finished, [Result(shard)], null);
            Pending = new PendingReport(Lease, report, fate.SetResult);
        }

        public HeldLease Lease { get; }

        public PendingReport Pending { get; }

        public Task<ReportFate> Fate => fate.Task;

        private static ItemResult Result(int index) =>
            new(index, $"item-{index}", "text", "stop", 0, 0, null, null, Leases.Device, 1, 1, 0);
    }
}
