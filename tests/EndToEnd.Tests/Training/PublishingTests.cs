using System.Net.Http.Json;
using EgpuFleet.Api;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>What a run has learnt becomes a model exactly once, whatever happens to the silo that makes it one.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class PublishingTests(TrainingFleet fleet, ITestOutputHelper output)
{
    private const int Steps = 3;

    private readonly TrainingRig rig = fleet.Rig;

    /// <summary>What becomes of the name that the killed silo was writing.</summary>
    public enum Write
    {
        /// <summary>It is lost with its session: the model's file is there, and nobody names it.</summary>
        Lost,

        /// <summary>It is done when the next silo already waits to do the same.</summary>
        DoneBesideTheNext,
    }

    [Theory]
    [InlineData(Write.Lost, 11)]
    [InlineData(Write.DoneBesideTheNext, 13)]
    public async Task A_silo_killed_while_it_registers_the_model_leaves_it_there_once(Write write, int seed)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        var data = await rig.UploadAsync(SampleRequest.Lines(20), limit.Token);
        var before = await TrainedAsync(limit.Token);

        var request = SampleRequest.Of(data, Steps, checkpointSeconds: 60) with { Seed = seed };
        var id = await KilledAsync(request, write, limit.Token);
        var job = await rig.UntilAsync(id, _ => false, limit.Token);

        var story = await rig.EventsAsync(id, limit.Token);
        foreach (var line in story)
            output.WriteLine($"{line.CreatedAt} {line.Message}");
        Assert.True(job.Status == "succeeded", job.Error?.Message);
        var model = Assert.Single((await TrainedAsync(limit.Token)).ExceptBy(before.Select(Name), Name));
        Assert.Equal(job.FineTunedModel, model.Name);
        Assert.Single(story, line => line.Message == $"Done: served as {model.Name}.");
        // The same weights, made into a file again in peace.
        foreach (var checkpoint in (await rig.CheckpointsAsync(job, limit.Token)).Where(one => one.Step == Steps))
            Assert.Equal(model.Sha256, (await rig.Client.ServeCheckpointAsync(checkpoint.Id, limit.Token)).Sha256);
        Assert.Empty(
            Directory.EnumerateFiles(rig.Rig.Silos[0].DataDirectory, "incoming-*", SearchOption.AllDirectories)
        );
        Assert.NotEmpty(await SayAsync(model.Name, limit.Token));
    }

    private async Task<string> KilledAsync(
        Api.FineTuningRequest request,
        Write write,
        CancellationToken cancellationToken
    )
    {
        var silo = rig.Rig.Silos[0].Process;
        await using var held = await HeldRegistry.HoldAsync(rig.Rig.Postgres, cancellationToken);
        var id = await rig.CreateAsync(request, cancellationToken);
        await held.UntilWaitedForAsync(1, cancellationToken);
        await silo.KillAsync(comesBack: write == Write.DoneBesideTheNext);
        if (write == Write.Lost)
            await held.EndWaitersAsync(cancellationToken);
        if (write == Write.DoneBesideTheNext)
            await held.UntilWaitedForAsync(2, cancellationToken);
        else
            silo.Revive();
        return id;
    }

    private async Task<IEnumerable<ModelInfo>> TrainedAsync(CancellationToken cancellationToken) =>
        (await rig.Client.ListModelsAsync(cancellationToken)).Data.Where(model =>
            model.Name.StartsWith("ft:", StringComparison.Ordinal)
            && !model.Name.Contains(":ckpt-step-", StringComparison.Ordinal)
        );

    private async Task<string> SayAsync(string model, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = rig.Rig.Silos[0].Url };
        using var response = await http.PostAsJsonAsync(
            "/v1/completions",
            new
            {
                model,
                prompt = "The river",
                max_tokens = 8,
            },
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    private static string Name(ModelInfo model) => model.Name;
}
