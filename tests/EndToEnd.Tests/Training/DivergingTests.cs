using EgpuFleet.Api;
using EgpuFleet.TestKit.Fleet.Training;
using OpenAI.FineTuning;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>A fine-tuning whose loss stops being a number ends, says why, and leaves what can be gone on from.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class DivergingTests(TrainingFleet fleet, ITestOutputHelper output)
{
    private const int Lines = 300;
    private const int Steps = 5_000;
    private const int FurtherSteps = 3;

    private readonly TrainingRig rig = fleet.Rig;

    [Fact]
    public async Task A_loss_that_is_no_number_fails_the_job_and_the_last_good_checkpoint_is_begun_from()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        var data = await rig.UploadAsync(SampleRequest.Lines(Lines), limit.Token);

        var id = await rig.CreateAsync(Diverging(data), limit.Token);
        var failed = await rig.UntilAsync(id, _ => false, limit.Token);

        foreach (var line in await rig.EventsAsync(id, limit.Token))
            output.WriteLine($"{line.CreatedAt} {line.Level} {line.Message}");
        Assert.Equal(("failed", "not_finite"), (failed.Status, failed.Error?.Code));
        Assert.Contains("start_from", failed.Error!.Message, StringComparison.Ordinal);
        Assert.Null(failed.FineTunedModel);
        var sdk = await new FineTuningRequest(rig.Rig.Silos[0].Url).FineTuning.GetJobAsync(id, limit.Token);
        Assert.Equal(FineTuningStatus.Failed, sdk.Status);

        var kept = await rig.CheckpointsAsync(failed, limit.Token);
        foreach (var checkpoint in kept)
            Assert.True((await rig.Client.VerifyCheckpointAsync(checkpoint.Id, limit.Token)).IsIntact);
        var next = SampleRequest.Of(data, FurtherSteps, checkpointSeconds: 60);
        next = next with { Egpufleet = next.Egpufleet! with { StartFrom = kept[^1].Id } };
        var begun = await rig.UntilAsync(await rig.CreateAsync(next, limit.Token), _ => false, limit.Token);
        Assert.True(begun.Status == "succeeded", begun.Error?.Message);
        Assert.Equal(FurtherSteps, begun.Egpufleet.Step);
    }

    /// <summary>The rate rises by about 1 with every step: weights of hundreds, whose products no float holds, after some dozens.</summary>
    private static Api.FineTuningRequest Diverging(string data)
    {
        var request = SampleRequest.Of(data, Steps, checkpointSeconds: 1);
        var hyperparameters = new HyperparameterOptions(NEpochs: 50, BatchSize: 1, LearningRateMultiplier: 25);
        return request with
        {
            Method = new FineTuningMethodOptions("supervised", new SupervisedOptions(hyperparameters)),
            Egpufleet = request.Egpufleet! with { LearningRate = 10 },
        };
    }
}
