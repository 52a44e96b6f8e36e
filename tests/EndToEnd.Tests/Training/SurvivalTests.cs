using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>
/// A short piece of what <c>fleet bench survival</c> does for long: a fine-tuning whose worker, agent, silo and Postgres are
/// killed.
/// </summary>
public sealed class SurvivalTests(ITestOutputHelper output)
{
    /// <summary>
    /// Each process once. An outage takes more steps of a faster machine: Postgres comes last here, and may find the run over.
    /// </summary>
    private const int Kills = 4;

    private const int Seed = 1;

    private const int Steps = 130;

    [Fact]
    public async Task A_killed_run_ends_with_the_weights_of_the_same_run_in_peace()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(6));
        var options = new SurvivalOptions(Kills, Seed)
        {
            Steps = Steps,
            LeastKills = Kills - 1,
            AwaitsCheckpoint = true,
            CheckpointSeconds = 1,
        };

        var outcome = await new SurvivalRun(options, TimeProvider.System, output.WriteLine).RunAsync(limit.Token);

        Assert.True(outcome.Violations.Count == 0, $"{string.Join('\n', outcome.Violations)}\nlogs: {outcome.Folder}");
    }

    [Fact]
    public void A_seed_plans_the_same_kills_again_and_each_process_equally_often()
    {
        var plan = SurvivalPlan.Make(3, 20);

        Assert.Equal(plan, SurvivalPlan.Make(3, 20));
        Assert.NotEqual(plan, SurvivalPlan.Make(4, 20));
        Assert.All(Enum.GetValues<Victim>(), victim => Assert.Equal(5, plan.Count(kill => kill.Victim == victim)));
    }
}
