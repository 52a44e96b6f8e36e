using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.EndToEnd.Tests.Chaos;

/// <summary>
/// A short piece of what <c>fleet bench chaos</c> does for long: three silos, four agents, Postgres, load, and every kind of
/// fault at least once.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Faults = 10;
    private const int Seed = 3;

    [Fact]
    public async Task Under_every_kind_of_fault_nothing_is_lost_and_nothing_ends_twice()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        var options = new ChaosOptions(TimeSpan.FromSeconds(30), Faults, Seed);

        var outcome = await new ChaosRun(options, TimeProvider.System, output.WriteLine).RunAsync(limit.Token);

        Assert.True(outcome.Violations.Count == 0, $"{string.Join('\n', outcome.Violations)}\nlogs: {outcome.Folder}");
        // A worker that is to be killed may not be there: its agent was killed just before.
        Assert.InRange(outcome.Faults.Count, Faults - 2, Faults);
        Assert.True(outcome.Acknowledged > Faults, $"only {outcome.Acknowledged} submits were acknowledged");
    }
}
