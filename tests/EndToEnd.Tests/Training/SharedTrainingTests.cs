using EgpuFleet.Api;
using EgpuFleet.TestKit.Checkers;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>One fine-tuning shared by two agents, which come and go: real processes, through the API.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class SharedTrainingTests(TrainingFleet fleet, ITestOutputHelper output)
{
    private const string Joined = " takes part from round ";

    private readonly TrainingRig rig = fleet.Rig;

    [Fact]
    public async Task Two_agents_share_a_run_and_its_model_answers()
    {
        using var limit = Limit();
        var id = await CreateAsync(lines: 40, epochs: 2, limit.Token);
        var job = await rig.UntilAsync(id, _ => false, limit.Token);

        var run = await EndedAsync(job, limit.Token);
        var figures = run.Story.Select(line => line.Data).OfType<IReadOnlyDictionary<string, double>>().ToList();
        Assert.Equal(2, figures.Max(one => one["members"]));
        var looks = figures.Where(one => one.ContainsKey("valid_loss")).Select(one => one["valid_loss"]).ToList();
        Assert.True(looks[^1] < 0.9 * run.Losses[1], $"{string.Join(' ', looks)} after {run.Losses[1]}");
        Assert.Single(run.Story, line => line.Message.StartsWith("Before: ", StringComparison.Ordinal));
        Assert.Single(run.Story, line => line.Message.StartsWith("After: ", StringComparison.Ordinal));
        Assert.Equal(run.Losses.Keys.Last(), run.Checkpoints[0].Step);
        Assert.Equal(run.Losses.Values.Last(), run.Checkpoints[0].Metrics["train_loss"]);
        Assert.True((await rig.Client.VerifyCheckpointAsync(run.Checkpoints[0].Id, limit.Token)).IsIntact);
        Assert.NotEqual(
            await SayAsync(TrainingRig.Model, limit.Token),
            await SayAsync(job.FineTunedModel!, limit.Token)
        );
    }

    [Fact]
    public async Task Members_that_are_killed_and_come_back_lose_no_microshard_and_apply_none_twice()
    {
        using var limit = Limit();
        var agents = rig.Rig.Agents;
        var id = await CreateAsync(lines: 60, epochs: 4, limit.Token);
        await UntilSharedAsync(id, limit.Token);
        await rig.KillWorkerAsync(agents[0], limit.Token);
        await FurtherAsync(id, limit.Token);
        await rig.Rig.Silos[0].Process.KillAsync(comesBack: true);
        await FurtherAsync(id, limit.Token);
        // One goes on alone; then nobody is left, and the other joins what it finds.
        await agents[1].KillAsync(comesBack: false);
        await FurtherAsync(id, limit.Token);
        var joins = await JoinsAsync(id, limit.Token);
        await agents[0].KillAsync(comesBack: false);
        agents[1].Revive();
        while (await JoinsAsync(id, limit.Token) == joins)
            await Task.Delay(50, limit.Token);
        agents[0].Revive();
        var job = await rig.UntilAsync(id, _ => false, limit.Token);

        await EndedAsync(job, limit.Token);
    }

    [Fact]
    public async Task A_paused_run_goes_on_where_it_was_and_a_cancelled_one_applies_nothing_more()
    {
        using var limit = Limit();
        var id = await CreateAsync(lines: 60, epochs: 20, limit.Token);
        await FurtherAsync(id, limit.Token);
        await rig.SteerAsync(id, "pause", limit.Token);
        var paused = await rig.FindAsync(id, limit.Token);
        Assert.Equal("paused", paused.Egpufleet.Phase);
        await rig.SteerAsync(id, "resume", limit.Token);
        var joins = await JoinsAsync(id, limit.Token);
        await FurtherAsync(id, limit.Token);
        Assert.True(await JoinsAsync(id, limit.Token) > joins, "nobody joined after the pause");
        var job = await rig.SteerAsync(id, "cancel", limit.Token);
        Assert.Equal("cancelled", job.Status);

        var rounds = await SharedRounds.ReadAsync(rig.Rig.Postgres.Database, job, limit.Token);
        Assert.Empty(MicroshardRules.OneApplication(rounds.Microshards, rounds.Applied, isFinished: false));
        Assert.InRange(rounds.Applied.Count, 1, rounds.Microshards - 1);
        AssertContinuous(await TrainedRun.ReadAsync(rig, job, limit.Token));
        Assert.Null(job.FineTunedModel);
    }

    private static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        return limit;
    }

    private async Task<string> CreateAsync(int lines, int epochs, CancellationToken cancellationToken)
    {
        var training = await rig.UploadAsync(SampleRequest.Lines(lines), cancellationToken);
        var heldOut = await rig.UploadAsync(SampleRequest.Lines(4), cancellationToken);
        return await rig.CreateAsync(
            new Api.FineTuningRequest(
                TrainingRig.Model,
                training,
                heldOut,
                Seed: 7,
                Method: new FineTuningMethodOptions(
                    "supervised",
                    new SupervisedOptions(new HyperparameterOptions(NEpochs: epochs, BatchSize: 1))
                ),
                Egpufleet: new FineTuningExtraOptions(
                    Rank: 4,
                    RowTokens: 128,
                    LearningRate: 2e-3,
                    EvaluateEverySteps: 20,
                    DataParallel: new DataParallelOptions(2, Steps: 4)
                )
            ),
            cancellationToken
        );
    }

    /// <summary>What holds of every run that came to its end, whatever happened to it.</summary>
    private async Task<TrainedRun> EndedAsync(FineTuningJobInfo job, CancellationToken cancellationToken)
    {
        var run = await TrainedRun.ReadAsync(rig, job, cancellationToken);
        foreach (var line in run.Story)
            output.WriteLine($"{line.CreatedAt} {line.Message}");
        Assert.True(job.Status == "succeeded", $"{job.Status}: {job.Error?.Message}");
        Assert.NotNull(run.Model);
        var rounds = await SharedRounds.ReadAsync(rig.Rig.Postgres.Database, job, cancellationToken);
        Assert.Empty(MicroshardRules.OneApplication(rounds.Microshards, rounds.Applied, isFinished: true));
        AssertContinuous(run);
        Assert.Equal(rounds.Applied.Max(one => one.Round) + 1, run.Losses.Keys.Last());
        return run;
    }

    private static void AssertContinuous(TrainedRun run)
    {
        Assert.Equal(Enumerable.Range(1, run.Losses.Count).Select(step => (long)step), run.Losses.Keys);
        Assert.All(run.Losses.Values, loss => Assert.InRange(loss, 0, 1.5 * run.Losses[1]));
    }

    private Task<FineTuningJobInfo> UntilSharedAsync(string id, CancellationToken cancellationToken) =>
        rig.UntilAsync(id, now => now.Egpufleet.Metrics?.GetValueOrDefault("members") == 2, cancellationToken);

    private async Task FurtherAsync(string id, CancellationToken cancellationToken)
    {
        var step = (await rig.FindAsync(id, cancellationToken)).Egpufleet.Step;
        await rig.UntilAsync(id, now => now.Egpufleet.Step >= step + 2, cancellationToken);
    }

    private async Task<int> JoinsAsync(string id, CancellationToken cancellationToken) =>
        (await rig.EventsAsync(id, cancellationToken)).Count(line =>
            line.Message.Contains(Joined, StringComparison.Ordinal)
        );

    private Task<string> SayAsync(string model, CancellationToken cancellationToken) =>
        new FineTuningRequest(rig.Rig.Silos[0].Url).SayAsync(model, "the little old", cancellationToken);
}
