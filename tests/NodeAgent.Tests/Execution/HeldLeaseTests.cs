using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class HeldLeaseTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    private readonly TestClock clock = new();
    private readonly FakeTimeProvider monotonic = new();
    private readonly SleepWatch watch;

    public HeldLeaseTests() => watch = new SleepWatch(clock, monotonic);

    [Fact]
    public void Lives_while_the_clock_stands_still_and_ends_when_it_reaches_the_deadline()
    {
        using var lease = New();
        Assert.True(lease.Check());
        Pass(Duration - TimeSpan.FromTicks(1));
        Assert.True(lease.Check());
        Pass(TimeSpan.FromTicks(1));
        Assert.False(lease.Check());
        Assert.True(lease.Ended.IsCancellationRequested);
        Assert.Contains("deadline", lease.EndReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renewal_counts_from_when_the_heartbeat_was_sent()
    {
        using var lease = New();
        var sent = clock.Now + TimeSpan.FromSeconds(3);
        Pass(TimeSpan.FromSeconds(8));
        lease.Renew(sent, Duration, sleeps: 0);
        Pass(sent + Duration - TimeSpan.FromTicks(1) - clock.Now);
        Assert.True(lease.Check());
        Pass(TimeSpan.FromTicks(1));
        Assert.False(lease.Check());
    }

    [Fact]
    public void A_late_answer_to_an_earlier_heartbeat_shortens_nothing()
    {
        using var lease = New();
        var start = clock.Now;
        Pass(TimeSpan.FromSeconds(6));
        lease.Renew(start + TimeSpan.FromSeconds(6), Duration, sleeps: 0);
        lease.Renew(start + TimeSpan.FromSeconds(3), Duration, sleeps: 0);
        Pass(start + TimeSpan.FromSeconds(15) - clock.Now);
        Assert.True(lease.Check());
    }

    [Fact]
    public void After_a_sleep_past_the_deadline_no_renewal_wakes_it()
    {
        using var lease = New();
        var sent = clock.Now;
        clock.Now += TimeSpan.FromHours(8);
        // The answer to a heartbeat sent after waking may arrive before anybody looked at the deadline.
        lease.Renew(sent + TimeSpan.FromHours(8), Duration, sleeps: 1);
        Assert.False(lease.Check());
    }

    [Fact]
    public void Ends_once_and_keeps_the_first_reason()
    {
        using var lease = New();
        lease.End("revoked");
        Pass(Duration);
        Assert.False(lease.Check());
        lease.End("again");
        Assert.Equal("revoked", lease.EndReason);
    }

    [Fact]
    public void The_boot_clock_only_moves_forward()
    {
        var boot = new BootClock();
        var first = boot.Now;
        Assert.True(first > TimeSpan.Zero);
        Assert.True(boot.Now >= first);
    }

    [Fact]
    public void After_a_sleep_within_the_deadline_only_an_answer_to_a_heartbeat_sent_since_confirms_it()
    {
        using var lease = New();
        var before = clock.Now;
        Sleep(TimeSpan.FromSeconds(5));
        Assert.False(lease.Check());
        Assert.True(lease.Lives());

        lease.Renew(before, Duration, sleeps: 0);
        Assert.False(lease.Check());
        lease.Renew(clock.Now, Duration, watch.Look());
        Assert.True(lease.Check());

        Sleep(TimeSpan.FromSeconds(5));
        Assert.False(lease.Check());
    }

    [Fact]
    public async Task Whoever_waits_goes_on_when_the_lease_is_confirmed_and_not_before()
    {
        using var lease = New();
        Assert.True(lease.ReadyAsync().IsCompletedSuccessfully);
        Sleep(TimeSpan.FromSeconds(5));
        var ready = lease.ReadyAsync();
        lease.Renew(clock.Now, Duration, sleeps: 0);
        Assert.False(ready.IsCompleted);
        lease.Renew(clock.Now, Duration, watch.Look());
        await ready.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Whoever_waits_is_told_of_the_end()
    {
        using var lease = New();
        Sleep(TimeSpan.FromSeconds(5));
        var ready = lease.ReadyAsync();
        lease.End("revoked");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ready);
    }

    [Fact]
    public void One_that_arrives_after_a_sleep_waits_for_the_first_answered_heartbeat()
    {
        Sleep(TimeSpan.FromHours(1));
        using var early = New();
        Assert.False(early.Check());
        watch.Answer(watch.Look());
        using var late = New();
        Assert.True(late.Check());
        Assert.False(early.Check());
    }

    [Fact]
    public void An_end_and_a_disposal_may_come_in_any_order()
    {
        var lease = New();
        lease.Dispose();
        lease.End("late");
        Assert.False(lease.Check());
        var other = New();
        other.End("early");
        other.Dispose();
        Assert.Equal("early", other.EndReason);
    }

    private void Pass(TimeSpan duration)
    {
        clock.Now += duration;
        monotonic.Advance(duration);
    }

    private void Sleep(TimeSpan duration)
    {
        // As a sleeping machine: no timer of .NET moves.
        clock.Now += duration;
    }

    private HeldLease New() => new(Leases.Key(), Duration, watch);
}
