using EgpuFleet.Api;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>A fine-tuning that is taken from its device politely loses nothing, and goes on as if nothing had been.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class DrainTests(TrainingFleet fleet, ITestOutputHelper output)
{
    private const int Steps = 60;
    private const int FurtherSteps = 2;
    private const string Stored = "Stopped after step ";

    private readonly TrainingRig rig = fleet.Rig;

    [Fact]
    public async Task An_ejected_device_a_stopped_agent_and_a_pause_cost_no_step_and_change_no_bit()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        var data = await rig.UploadAsync(SampleRequest.Lines(60), limit.Token);
        // No checkpoint is due before the end: what is not made durable on the way out is lost, and seen to be.
        var request = SampleRequest.Of(data, Steps, checkpointSeconds: 60);

        var drained = await DrainedAsync(request, limit.Token);
        var peace = await rig.UntilAsync(await rig.CreateAsync(request, limit.Token), _ => false, limit.Token);

        var run = await TrainedRun.ReadAsync(rig, drained, limit.Token);
        foreach (var line in run.Story.Where(line => line.Data is null))
            output.WriteLine($"{line.CreatedAt} {line.Message}");
        Assert.Equal(("succeeded", "succeeded"), (drained.Status, peace.Status));
        Assert.Equal(Steps, run.Losses.Count);
        Assert.Empty(run.DifferencesTo(await TrainedRun.ReadAsync(rig, peace, limit.Token)));
        var stops = run
            .Story.Where(line => line.Message.StartsWith(Stored, StringComparison.Ordinal))
            .Select(line => long.Parse(line.Message[Stored.Length..].Split(';')[0]))
            .ToList();
        Assert.Equal(3, stops.Count);
        Assert.Equal(stops.Select(step => (step, 0L)), run.Resumptions().Select(one => (one.From, one.LostSteps)));
    }

    private async Task<FineTuningJobInfo> DrainedAsync(
        Api.FineTuningRequest request,
        CancellationToken cancellationToken
    )
    {
        var id = await rig.CreateAsync(request, cancellationToken);
        var job = await FurtherAsync(id, 0, cancellationToken);

        var ejected = await DeviceAsync(job, cancellationToken);
        await rig.Client.OrderDeviceAsync(ejected, "eject", cancellationToken);
        var second = await DeviceAsync(job, cancellationToken, other: ejected);
        job = await FurtherAsync(id, await StepAsync(id, cancellationToken), cancellationToken);

        await rig.Client.OrderDeviceAsync(ejected, "attach", cancellationToken);
        await rig.Rig.AgentOf(second).StopAsync();
        job = await FurtherAsync(id, job.Egpufleet.Step, cancellationToken);

        await rig.SteerAsync(id, "pause", cancellationToken);
        await rig.SteerAsync(id, "resume", cancellationToken);
        return await rig.UntilAsync(id, _ => false, cancellationToken);
    }

    private async Task<long> StepAsync(string id, CancellationToken cancellationToken) =>
        (await rig.FindAsync(id, cancellationToken)).Egpufleet.Step;

    private Task<FineTuningJobInfo> FurtherAsync(string id, long step, CancellationToken cancellationToken) =>
        rig.UntilAsync(id, now => now.Egpufleet.Step >= step + FurtherSteps, cancellationToken);

    /// <summary>The device that trains, once that is another one.</summary>
    private async Task<string> DeviceAsync(
        FineTuningJobInfo job,
        CancellationToken cancellationToken,
        string? other = null
    )
    {
        while (true)
        {
            var devices = await rig.Client.ListDevicesAsync(cancellationToken);
            var training = devices.Data.FirstOrDefault(device =>
                device.Id != other && device.RunningShards.Any(shard => shard.Job == job.Egpufleet.Job)
            );
            if (training is not null)
                return training.Id;
        }
    }
}
