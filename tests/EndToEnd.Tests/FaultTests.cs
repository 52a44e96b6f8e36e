using EgpuFleet.Api;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Real processes, real SIGKILL, in the middle of a 200-prompt batch: nothing is lost and nothing comes twice.</summary>
public sealed class FaultTests
{
    private const int Prompts = 200;

    [Fact]
    public async Task A_killed_agent_costs_no_result_and_the_log_tells_the_story()
    {
        using var limit = Limit();
        await using var fleet = await StartAsync(limit.Token);
        var job = await SubmitAsync(fleet, limit.Token);
        var victim = await InTheMiddleAsync(fleet, job.Id, limit.Token);
        var nodes = await fleet.Client.ListNodesAsync(limit.Token);
        var agent = nodes.Data.Single(node => node.Id == victim.Split('/')[0]).ProcessId!.Value;

        await ProcessTable.KillAsync(agent, limit.Token);

        var events = new List<JobEventInfo>();
        job = await fleet.WaitForJobAsync(job.Id, limit.Token, update => Collect(update, events));
        await AssertCompleteAsync(fleet, job, limit.Token);
        var requeued = events.Where(entry => entry.Type == "shard_requeued").ToList();
        Assert.Contains(requeued, entry => entry.Device == victim);
        Assert.All(requeued, lost => Assert.Contains(events, entry => IsNextAttempt(lost, entry)));
        Assert.Equal(events.Select(entry => entry.Sequence).Order().Distinct(), events.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task A_worker_that_hangs_with_its_socket_open_is_replaced_and_costs_no_result()
    {
        using var limit = Limit();
        await using var fleet = await StartAsync(limit.Token);
        var job = await SubmitAsync(fleet, limit.Token);
        var victim = await InTheMiddleAsync(fleet, job.Id, limit.Token);
        var before = (await fleet.Client.ListDevicesAsync(limit.Token)).Data.Single(device => device.Id == victim);

        await ProcessTable.FreezeAsync(before.WorkerProcessId!.Value, limit.Token);

        var events = new List<JobEventInfo>();
        job = await fleet.WaitForJobAsync(job.Id, limit.Token, update => Collect(update, events));
        await AssertCompleteAsync(fleet, job, limit.Token);
        Assert.Contains(events, entry => entry.Type == "shard_requeued" && entry.Device == victim);
    }

    [Fact]
    public async Task With_silo_database_and_supervisor_killed_the_next_up_completes_the_batch()
    {
        using var limit = Limit();
        await using var fleet = await StartAsync(limit.Token);
        var job = await SubmitAsync(fleet, limit.Token);
        await InTheMiddleAsync(fleet, job.Id, limit.Token);
        var processes = await ProcessTable.FindAsync(fleet.DataDirectory, limit.Token);
        var postmaster = processes.Single(process =>
            process.CommandLine.Contains("/postgres ", StringComparison.Ordinal)
        );
        var silo = processes.Single(process =>
            process.CommandLine.Contains("EgpuFleet.Silo", StringComparison.Ordinal)
        );

        await ProcessTable.KillAsync(fleet.SupervisorProcessId, limit.Token);
        await ProcessTable.KillAsync(silo.ProcessId, limit.Token);
        await ProcessTable.KillAsync(postmaster.ProcessId, limit.Token);
        await fleet.UpAsync(limit.Token);

        job = await fleet.WaitForJobAsync(job.Id, limit.Token);
        await AssertCompleteAsync(fleet, job, limit.Token);
    }

    private static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        return limit;
    }

    private static async Task<FleetUnderTest> StartAsync(CancellationToken cancellationToken)
    {
        var fleet = await FleetUnderTest.StartAsync(cancellationToken);
        await fleet.AddModelAsync(
            "tiny-fleet",
            RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"),
            cancellationToken
        );
        return fleet;
    }

    private static Task<JobInfo> SubmitAsync(FleetUnderTest fleet, CancellationToken cancellationToken)
    {
        var items = Enumerable
            .Range(0, Prompts)
            .Select(index => new BatchLine($"item-{index}", Prompt: "Once upon a time"))
            .ToList();
        var generation = new GenerationOptions(MaxTokens: 96, Temperature: 1, Seed: 7);
        return fleet.Client.SubmitAsync(
            new JobRequest("batch", "tiny-fleet", generation, Items: items),
            null,
            cancellationToken
        );
    }

    /// <summary>Waits until some results are durable; returns a device that holds a lease of the job then.</summary>
    private static async Task<string> InTheMiddleAsync(
        FleetUnderTest fleet,
        string id,
        CancellationToken cancellationToken
    )
    {
        await foreach (var update in fleet.Client.WatchJobAsync(id, null, cancellationToken))
        {
            if (update.Job is not { Items: { Completed: > 0 } items })
                continue;
            Assert.True(items.Completed < Prompts, "the batch was over before anything could be killed");
            var devices = await fleet.Client.ListDevicesAsync(cancellationToken);
            var busy = devices.Data.FirstOrDefault(device => device.RunningShards.Any(shard => shard.Job == id));
            if (busy is not null)
                return busy.Id;
        }
        throw new InvalidOperationException("The job ended before it was seen in the middle.");
    }

    private static void Collect(JobUpdate update, List<JobEventInfo> events)
    {
        if (update.Event is { } entry)
            events.Add(entry);
    }

    private static bool IsNextAttempt(JobEventInfo lost, JobEventInfo entry) =>
        entry.Type == "shard_started" && entry.Shard == lost.Shard && entry.Epoch == lost.Epoch + 1;

    private static async Task AssertCompleteAsync(
        FleetUnderTest fleet,
        JobInfo job,
        CancellationToken cancellationToken
    )
    {
        Assert.Equal("succeeded", job.State);
        Assert.Equal(new ItemCounts(Prompts, Prompts, 0), job.Items);
        var results = await fleet.ReadResultsAsync(job.Id, cancellationToken);
        Assert.Equal(Enumerable.Range(0, Prompts), results.Select(result => result.Index));
        Assert.All(results, result => Assert.Equal($"item-{result.Index}", result.CustomId));
        Assert.All(results, result => Assert.False(string.IsNullOrEmpty(result.Text)));
    }
}
