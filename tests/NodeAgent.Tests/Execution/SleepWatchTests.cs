using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class SleepWatchTests
{
    private readonly TestClock boot = new();
    private readonly FakeTimeProvider stopwatch = new();
    private readonly SleepWatch watch;

    public SleepWatchTests() => watch = new SleepWatch(boot, stopwatch);

    [Fact]
    public void While_both_clocks_move_nothing_slept()
    {
        for (var i = 0; i < 100; i++)
        {
            boot.Now += TimeSpan.FromMinutes(1);
            stopwatch.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, watch.Look());
        }
    }

    [Fact]
    public void A_stopwatch_that_stood_still_is_a_sleep_and_counted_once()
    {
        boot.Now += TimeSpan.FromHours(8);
        Assert.Equal(1, watch.Look());
        Assert.Equal(1, watch.Look());
        boot.Now += TimeSpan.FromSeconds(2);
        stopwatch.Advance(TimeSpan.FromMilliseconds(900));
        Assert.Equal(2, watch.Look());
    }

    [Fact]
    public void A_long_time_awake_hides_no_sleep()
    {
        stopwatch.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, watch.Look());
        boot.Now += TimeSpan.FromSeconds(30);
        Assert.Equal(1, watch.Look());
    }

    [Fact]
    public void An_answer_to_an_older_heartbeat_takes_nothing_back()
    {
        boot.Now += TimeSpan.FromHours(1);
        var sleeps = watch.Look();
        Assert.Equal(0, watch.Answered);
        watch.Answer(sleeps);
        watch.Answer(0);
        Assert.Equal(sleeps, watch.Answered);
    }
}
