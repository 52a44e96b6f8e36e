using EgpuFleet.TestKit;
using EgpuFleet.TestKit.Fleet.Training;
using Npgsql;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>The disk that Postgres keeps the chunks of checkpoints on runs full in the middle of storing one.</summary>
[Collection(OnTrainingFleet.Name)]
public sealed class FullStoreDiskTests(TrainingFleet fleet, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Steps = 80;
    private const int FurtherSteps = 5;
    private const int DiskMegabytes = 256;
    private const string Refused = "is not stored yet";

    private readonly TrainingRig rig = fleet.Rig;
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"egpufleet-disk-{Guid.NewGuid():N}");
    private SmallDisk? disk;

    public async ValueTask InitializeAsync() => disk = await SmallDisk.MountAsync(folder, DiskMegabytes);

    public async ValueTask DisposeAsync()
    {
        if (disk is not null)
            await disk.DisposeAsync();
        Directory.Delete(folder);
    }

    [Fact]
    public async Task Nothing_of_it_is_seen_training_goes_on_and_room_ends_it()
    {
        Assert.SkipWhen(disk is null, SmallDisk.SkipReason);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        Assert.True(await disk.GiveToOwnerOfAsync(await DataDirectoryAsync(limit.Token)));
        await ExecuteAsync($"create tablespace small location '{folder}'", limit.Token);
        await MoveChunksAsync("small", limit.Token);
        try
        {
            await TrainAsync(disk, limit.Token);
        }
        finally
        {
            disk.Free();
            await MoveChunksAsync("pg_default", CancellationToken.None);
            await ExecuteAsync("drop tablespace small", CancellationToken.None);
        }
    }

    private async Task TrainAsync(SmallDisk small, CancellationToken cancellationToken)
    {
        var data = await rig.UploadAsync(SampleRequest.Lines(60), cancellationToken);
        var id = await rig.CreateAsync(SampleRequest.Of(data, Steps, checkpointSeconds: 1), cancellationToken);
        var job = await rig.UntilAsync(id, now => now.Egpufleet.Step > 0, cancellationToken);

        small.Fill();
        await rig.UntilToldAsync(id, Refused, cancellationToken);
        var listed = await rig.CheckpointsAsync(job, cancellationToken);
        var step = (await rig.FindAsync(id, cancellationToken)).Egpufleet.Step;
        job = await rig.UntilAsync(id, now => now.Egpufleet.Step >= step + FurtherSteps, cancellationToken);
        Assert.Equal("running", job.Status);
        Assert.Equal(listed, await rig.CheckpointsAsync(job, cancellationToken));
        Assert.Empty(await rig.FaultsOfCheckpointsAsync(job, cancellationToken));

        small.Free();
        var done = await rig.UntilAsync(id, _ => false, cancellationToken);

        var run = await TrainedRun.ReadAsync(rig, done, cancellationToken);
        foreach (var line in run.Story.Where(line => line.Data is null))
            output.WriteLine($"{line.CreatedAt} {line.Level} {line.Message}");
        Assert.Equal(("succeeded", Steps), (done.Status, run.Losses.Count));
        Assert.Equal(Steps, run.Checkpoints[0].Step);
        Assert.Empty(run.Resumptions());
        Assert.Empty(await rig.FaultsOfCheckpointsAsync(done, cancellationToken));
    }

    private async Task<string> DataDirectoryAsync(CancellationToken cancellationToken)
    {
        await using var ask = rig.Rig.Postgres.Database.CreateCommand("select current_setting('data_directory')");
        return (string)(await ask.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task MoveChunksAsync(string tablespace, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await using (
            var ask = rig.Rig.Postgres.Database.CreateCommand(
                "select inhrelid::regclass::text from pg_inherits where inhparent = 'chunk'::regclass"
            )
        )
        await using (var rows = await ask.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken))
                names.Add(rows.GetString(0));
        }
        Assert.NotEmpty(names);
        foreach (var name in names)
            await ExecuteAsync($"alter table {name} set tablespace {tablespace}", cancellationToken);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = rig.Rig.Postgres.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
