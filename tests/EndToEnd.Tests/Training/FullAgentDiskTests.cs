using System.Net;
using EgpuFleet.Api;
using EgpuFleet.TestKit;
using EgpuFleet.TestKit.Fleet;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>The disk of the machine that trains has no room for a state.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class FullAgentDiskTests(TrainingFleet fleet, ITestOutputHelper output)
{
    private const int Steps = 80;
    private const int FurtherSteps = 5;
    private const int DiskMegabytes = 64;
    private const string OtherDevice = "node-2/cpu0";
    private const string Refused = "cannot be written";
    private const string Again = "could be written again";

    private readonly TrainingRig rig = fleet.Rig;

    [Fact]
    public async Task Training_goes_on_says_so_and_its_state_is_stored_when_there_is_room()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        var agent = rig.Rig.Agents[0];
        await agent.KillAsync(comesBack: false);
        var disk = await SmallDisk.MountAsync(Path.Combine(rig.Rig.Folder, agent.Name, "workers"), DiskMegabytes);
        agent.Revive();
        Assert.SkipWhen(disk is null, SmallDisk.SkipReason);
        await rig.Client.OrderDeviceAsync(OtherDevice, "eject", limit.Token);
        try
        {
            await TrainAsync(disk, limit.Token);
        }
        finally
        {
            await agent.KillAsync(comesBack: false);
            await disk.DisposeAsync();
            agent.Revive();
            await rig.Client.OrderDeviceAsync(OtherDevice, "attach", CancellationToken.None);
        }
    }

    private async Task TrainAsync(SmallDisk disk, CancellationToken cancellationToken)
    {
        var data = await rig.UploadAsync(SampleRequest.Lines(60), cancellationToken);
        var id = await rig.CreateAsync(SampleRequest.Of(data, Steps, checkpointSeconds: 1), cancellationToken);
        await rig.UntilAsync(id, now => now.Egpufleet.Step > 0, cancellationToken);

        disk.Fill();
        await rig.UntilToldAsync(id, Refused, cancellationToken);
        var step = (await rig.FindAsync(id, cancellationToken)).Egpufleet.Step;
        var job = await rig.UntilAsync(id, now => now.Egpufleet.Step >= step + FurtherSteps, cancellationToken);
        Assert.Equal("running", job.Status);
        Assert.Empty(await rig.FaultsOfCheckpointsAsync(job, cancellationToken));
        var refused = await Assert.ThrowsAsync<FleetApiException>(() =>
            rig.Client.DeleteFileAsync(data, cancellationToken)
        );
        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Contains("cancel it first", refused.Message, StringComparison.Ordinal);

        disk.Free();
        await rig.UntilToldAsync(id, Again, cancellationToken);
        var done = await rig.UntilAsync(id, _ => false, cancellationToken);

        var run = await TrainedRun.ReadAsync(rig, done, cancellationToken);
        foreach (var line in run.Story)
            output.WriteLine($"{line.CreatedAt} {line.Level} {line.Message}");
        Assert.Equal(("succeeded", Steps), (done.Status, run.Losses.Count));
        Assert.Equal(Steps, run.Checkpoints[0].Step);
        Assert.Empty(run.Resumptions());
        Assert.Empty(await rig.FaultsOfCheckpointsAsync(done, cancellationToken));
    }
}
