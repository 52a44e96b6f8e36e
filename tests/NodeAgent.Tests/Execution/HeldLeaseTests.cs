using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class HeldLeaseTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    private readonly TestClock clock = new();

    [Fact]
    public void Lives_while_the_clock_stands_still_and_ends_when_it_reaches_the_deadline()
    {
        using var lease = New();
        Assert.True(lease.Check());
        clock.Now += Duration - TimeSpan.FromTicks(1);
        Assert.True(lease.Check());
        clock.Now += TimeSpan.FromTicks(1);
        Assert.False(lease.Check());
        Assert.True(lease.Ended.IsCancellationRequested);
        Assert.Contains("deadline", lease.EndReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renewal_counts_from_when_the_heartbeat_was_sent()
    {
        using var lease = New();
        var sent = clock.Now + TimeSpan.FromSeconds(3);
        clock.Now += TimeSpan.FromSeconds(8);
        lease.Renew(sent, Duration);
        clock.Now = sent + Duration - TimeSpan.FromTicks(1);
        Assert.True(lease.Check());
        clock.Now = sent + Duration;
        Assert.False(lease.Check());
    }

    [Fact]
    public void A_late_answer_to_an_earlier_heartbeat_shortens_nothing()
    {
        using var lease = New();
        var start = clock.Now;
        clock.Now += TimeSpan.FromSeconds(6);
        lease.Renew(start + TimeSpan.FromSeconds(6), Duration);
        lease.Renew(start + TimeSpan.FromSeconds(3), Duration);
        clock.Now = start + TimeSpan.FromSeconds(15);
        Assert.True(lease.Check());
    }

    [Fact]
    public void After_a_sleep_past_the_deadline_no_renewal_wakes_it()
    {
        using var lease = New();
        var sent = clock.Now;
        clock.Now += TimeSpan.FromHours(8);
        // The answer to a heartbeat sent after waking may arrive before anybody looked at the deadline.
        lease.Renew(sent + TimeSpan.FromHours(8), Duration);
        Assert.False(lease.Check());
    }

    [Fact]
    public void Ends_once_and_keeps_the_first_reason()
    {
        using var lease = New();
        lease.End("revoked");
        clock.Now += Duration;
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

    private HeldLease New() => new(Leases.Key(), Duration, clock);
}
