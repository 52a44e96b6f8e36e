using EgpuFleet.NodeAgent.Execution;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Execution;

public sealed class LiveSpeedTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void A_sequence_alone_is_measured_from_its_first_token_to_its_last()
    {
        var speeds = new LiveSpeeds(time);
        using (var run = speeds.Begin("a"))
        {
            time.Advance(TimeSpan.FromSeconds(100));
            Decode(run, tokens: 41, perSecond: 10);
        }

        Assert.Equal(("a", 10), (speeds.Now[0].Sha256, Math.Round(speeds.Now[0].TokensPerSecond, 6)));
    }

    [Fact]
    public void Sequences_beside_each_other_and_short_ones_say_nothing()
    {
        var speeds = new LiveSpeeds(time);
        using (var first = speeds.Begin("a"))
        {
            Decode(first, tokens: 40, perSecond: 10);
            using var second = speeds.Begin("a");
            Decode(second, tokens: 40, perSecond: 10);
        }
        using (var brief = speeds.Begin("a"))
            Decode(brief, tokens: 3, perSecond: 1);
        speeds.Begin("a").Dispose();

        Assert.Empty(speeds.Now);
    }

    [Fact]
    public void A_change_is_followed_and_the_least_recently_used_model_is_forgotten()
    {
        var speeds = new LiveSpeeds(time);
        for (var i = 0; i < 40; i++)
        {
            using var run = speeds.Begin("a");
            Decode(run, tokens: 33, perSecond: i < 20 ? 10 : 40);
        }
        Assert.Equal(40, speeds.Now[0].TokensPerSecond, 0.1);

        for (var i = 0; i < Limits.LiveSpeeds; i++)
        {
            using var run = speeds.Begin($"m{i}");
            Decode(run, tokens: 33, perSecond: 10);
        }
        Assert.Equal(Limits.LiveSpeeds, speeds.Now.Length);
        Assert.DoesNotContain(speeds.Now, model => model.Sha256 == "a");
    }

    private void Decode(LiveSpeeds.Run run, int tokens, double perSecond)
    {
        for (var i = 0; i < tokens; i++)
        {
            run.Token();
            time.Advance(TimeSpan.FromSeconds(1 / perSecond));
        }
    }
}
