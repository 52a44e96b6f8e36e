using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Real processes, real SIGKILL, in the middle of a 200-prompt batch: nothing is lost and nothing comes twice.</summary>
public sealed class FaultTests
{
    private const int Prompts = 200;
    private const int MaxTokens = 96;

    [Fact]
    public async Task A_killed_agent_costs_no_result_and_the_log_tells_the_story()
    {
        using var limit = Limit();
        await using var batch = await RunningBatch.StartAsync(Prompts, MaxTokens, limit.Token);
        var victim = await batch.InTheMiddleAsync(limit.Token);
        var nodes = await batch.Fleet.Client.ListNodesAsync(limit.Token);
        var agent = nodes.Data.Single(node => node.Id == victim.Node).ProcessId!.Value;

        await ProcessTable.KillAsync(agent, limit.Token);

        var events = await batch.AssertCompleteAsync(limit.Token);
        var requeued = events.Where(entry => entry.Type == "shard_requeued").ToList();
        Assert.Contains(requeued, entry => entry.Device == victim.Id);
        Assert.All(requeued, lost => Assert.Contains(events, entry => IsNextAttempt(lost, entry)));
        Assert.Equal(events.Select(entry => entry.Sequence).Order().Distinct(), events.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task A_worker_that_hangs_with_its_socket_open_is_replaced_and_costs_no_result()
    {
        using var limit = Limit();
        await using var batch = await RunningBatch.StartAsync(Prompts, MaxTokens, limit.Token);
        var victim = await batch.InTheMiddleAsync(limit.Token);

        await ProcessTable.FreezeAsync(victim.WorkerProcessId!.Value, limit.Token);

        var events = await batch.AssertCompleteAsync(limit.Token);
        Assert.Contains(events, entry => entry.Type == "shard_requeued" && entry.Device == victim.Id);
    }

    [Fact]
    public async Task With_silo_database_and_supervisor_killed_the_next_up_completes_the_batch()
    {
        using var limit = Limit();
        await using var batch = await RunningBatch.StartAsync(Prompts, MaxTokens, limit.Token);
        var fleet = batch.Fleet;
        await batch.InTheMiddleAsync(limit.Token);
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

        await batch.AssertCompleteAsync(limit.Token);
    }

    private static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        return limit;
    }

    private static bool IsNextAttempt(JobEventInfo lost, JobEventInfo entry) =>
        entry.Type == "shard_started" && entry.Shard == lost.Shard && entry.Epoch == lost.Epoch + 1;
}
