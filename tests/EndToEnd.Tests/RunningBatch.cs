using EgpuFleet.Api;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>A fleet of its own with the sample model and a batch that something is done to while it runs.</summary>
internal sealed class RunningBatch : IAsyncDisposable
{
    private readonly int prompts;

    private RunningBatch(FleetUnderTest fleet, JobInfo job, int prompts) =>
        (Fleet, Id, this.prompts) = (fleet, job.Id, prompts);

    public FleetUnderTest Fleet { get; }

    public string Id { get; }

    public static async Task<RunningBatch> StartAsync(int prompts, int maxTokens, CancellationToken cancellationToken)
    {
        var fleet = await FleetUnderTest.StartAsync(cancellationToken);
        try
        {
            var model = RepositoryPaths.At("samples", "models", "tiny-fleet.gguf");
            await fleet.AddModelAsync(SharedFleet.SampleModel, model, cancellationToken);
            var items = Enumerable
                .Range(0, prompts)
                .Select(index => new BatchLine($"item-{index}", Prompt: "Once upon a time"));
            var generation = new GenerationOptions(MaxTokens: maxTokens, Temperature: 1, Seed: 7);
            var job = await fleet.Client.SubmitAsync(
                new JobRequest("batch", SharedFleet.SampleModel, generation, Items: [.. items]),
                null,
                cancellationToken
            );
            return new RunningBatch(fleet, job, prompts);
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>A device that holds a lease of the job once some results are durable.</summary>
    public async Task<DeviceInfo> InTheMiddleAsync(CancellationToken cancellationToken)
    {
        await foreach (var update in Fleet.Client.WatchJobAsync(Id, null, cancellationToken))
        {
            if (update.Job is not { Items: { Completed: > 0 } items })
                continue;
            Assert.True(items.Completed < prompts, "the batch was over before anything could be done to it");
            var devices = await Fleet.Client.ListDevicesAsync(cancellationToken);
            if (devices.Data.FirstOrDefault(device => device.RunningShards.Any(shard => shard.Job == Id)) is { } busy)
                return busy;
        }
        throw new InvalidOperationException("The job ended before it was seen in the middle.");
    }

    /// <summary>Follows the job to its end: every item has one result, with a text. Returns its log.</summary>
    public async Task<IReadOnlyList<JobEventInfo>> AssertCompleteAsync(CancellationToken cancellationToken)
    {
        var events = new List<JobEventInfo>();
        var job = await Fleet.WaitForJobAsync(Id, cancellationToken, Collect);
        Assert.Equal(("succeeded", new ItemCounts(prompts, prompts, 0)), (job.State, job.Items));
        var results = await Fleet.ReadResultsAsync(Id, cancellationToken);
        Assert.Equal(Enumerable.Range(0, prompts), results.Select(result => result.Index));
        Assert.All(results, result => Assert.Equal($"item-{result.Index}", result.CustomId));
        Assert.All(results, result => Assert.False(string.IsNullOrEmpty(result.Text)));
        return events;

        void Collect(JobUpdate update)
        {
            if (update.Event is { } entry)
                events.Add(entry);
        }
    }

    public ValueTask DisposeAsync() => Fleet.DisposeAsync();
}
