using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>What a device says of itself before it can compute.</summary>
public sealed class BringUpTests
{
    private readonly FakeTimeProvider time = new();
    private readonly ChangeSignal changes = new();

    [Fact]
    public void The_newest_phase_is_told_until_it_ends()
    {
        var bringUp = new BringUp(time, changes);
        Assert.Null(bringUp.Now);
        using (bringUp.Begin("fetching big"))
        {
            time.Advance(TimeSpan.FromSeconds(5));
            using (bringUp.Begin("loading small"))
                Assert.Equal(("loading small", 0.0), (bringUp.Now!.Phase, bringUp.Now.ElapsedSeconds));
            Assert.Equal(("fetching big", 5.0), (bringUp.Now!.Phase, bringUp.Now.ElapsedSeconds));
        }
        Assert.Null(bringUp.Now);
    }

    [Fact]
    public void Bytes_are_asked_for_and_tell_what_is_left()
    {
        var bringUp = new BringUp(time, changes);
        var done = 0L;
        using var phase = bringUp.Begin("fetching big", 400, () => done);
        Assert.Null(bringUp.Now!.LeftSeconds);

        time.Advance(TimeSpan.FromSeconds(30));
        done = 100;

        var now = bringUp.Now!;
        Assert.Equal((100, 400, 90.0), (now.DoneBytes, now.TotalBytes, now.LeftSeconds));
    }

    [Theory]
    [InlineData(10, 0, 0, null, null)]
    [InlineData(10, 0, 0, 25, 15)]
    [InlineData(30, 0, 0, 25, null)]
    [InlineData(10, 0, 100, 25, null)]
    [InlineData(10, 100, 100, null, 0)]
    [InlineData(10, 120, 100, null, 0)]
    [InlineData(1000, 1, 1L << 40, null, null)]
    public void What_is_left_is_known_by_bytes_or_by_the_last_time(
        int elapsed,
        long done,
        long total,
        int? expected,
        int? left
    ) => Assert.Equal(Span(left), BringUp.Left(TimeSpan.FromSeconds(elapsed), done, total, Span(expected)));

    [Fact]
    public async Task A_phase_that_begins_or_ends_is_a_change_that_is_told()
    {
        var bringUp = new BringUp(time, changes);
        var phase = bringUp.Begin("opening the device");
        await changes.WaitAsync(TestContext.Current.CancellationToken);
        var ended = changes.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(ended.IsCompleted);
        phase.Dispose();
        await ended;
    }

    private static TimeSpan? Span(int? seconds) => seconds is { } known ? TimeSpan.FromSeconds(known) : null;
}
