using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Tests;

public sealed class RestartPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_delay_doubles_up_to_its_limit()
    {
        var policy = new RestartPolicy();

        var delays = Enumerable.Range(0, 5).Select(i => policy.OnExit(1, Start.AddSeconds(i))!.Value.TotalSeconds);

        Assert.Equal([0.25, 0.5, 1, 2, 4], delays);
    }

    [Fact]
    public void The_sixth_end_within_a_minute_gives_up()
    {
        var policy = new RestartPolicy();
        for (var i = 0; i < 5; i++)
            Assert.NotNull(policy.OnExit(139, Start.AddSeconds(10 * i)));

        Assert.Null(policy.OnExit(139, Start.AddSeconds(59)));
    }

    [Fact]
    public void Ends_longer_ago_than_the_window_are_forgiven()
    {
        var policy = new RestartPolicy();
        for (var i = 0; i < 100; i++)
            Assert.Equal(TimeSpan.FromMilliseconds(250), policy.OnExit(1, Start.AddSeconds(61 * i)));
    }

    [Fact]
    public void A_process_that_refuses_its_settings_is_not_tried_again() =>
        Assert.Null(new RestartPolicy().OnExit(2, Start));
}
