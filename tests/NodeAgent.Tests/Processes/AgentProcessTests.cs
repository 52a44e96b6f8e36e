using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Tests.Processes;

/// <summary>A real agent process that joins a real cluster through HTTP.</summary>
public sealed class AgentProcessTests
{
    [Fact]
    public async Task Joins_runs_a_shard_survives_its_own_death_and_leaves_nothing_behind()
    {
        Stories.Require();
        using var folder = new TempFolder();
        await using var control = await TestControl.StartAsync(Stories.Bytes());
        using var first = AgentProcess.Start(folder.At("agent"), control.Url);
        var ready = await control.HeartbeatAsync(IsReady);
        Assert.Equal(first.Id, ready.Facts.ProcessId);

        var assignment = DeviceRig.Assignment(DeviceRig.Prompts(8), maxTokens: 16);
        Assert.Null(Assert.Single(await control.Device(Leases.Device).StartShards([assignment])));
        var results = await ResultsAsync(control);
        Assert.Equal(Enumerable.Range(0, 8), results.Select(result => result.Index).Order());

        ShardAssignment[] noops = [.. Enumerable.Range(1, 20).Select(shard => DeviceRig.Noop(shard))];
        Assert.All(await control.Device(Leases.Device).StartShards(noops), Assert.Null);
        foreach (var _ in noops)
            Assert.Equal(64, Assert.Single(await ResultsAsync(control)).Text!.Length);

        // Killed, not told: the worker and its model are there for the next agent.
        first.Kill();
        await first.ExitAsync();
        using var second = AgentProcess.Start(folder.At("agent"), control.Url);
        var again = await control.HeartbeatAsync(heartbeat =>
            IsReady(heartbeat) && heartbeat.Facts.Incarnation != ready.Facts.Incarnation
        );
        Assert.Equal(ready.Devices[0].WorkerProcessId, again.Devices[0].WorkerProcessId);

        second.Orphan();
        var goodbye = await control.HeartbeatAsync(heartbeat => heartbeat.Leaving);
        Assert.Equal(again.Facts.Incarnation, goodbye.Facts.Incarnation);
        Assert.Equal(0, await second.ExitAsync());
        Assert.Null(ProcessIdentity.Of(again.Devices[0].WorkerProcessId));
    }

    [Fact]
    public async Task Waits_for_its_enrolment_and_ends_at_once_when_told_to()
    {
        using var folder = new TempFolder();
        await using var control = await TestControl.StartAsync([]);
        control.Credential = "not this node's";
        using var agent = AgentProcess.Start(folder.At("agent"), control.Url);
        await control.Refused.Task.WaitAsync(TestContext.Current.CancellationToken);
        agent.Orphan();
        Assert.Equal(0, await agent.ExitAsync());
    }

    [Fact]
    public async Task Ends_although_the_cluster_went_away_first()
    {
        using var folder = new TempFolder();
        int worker;
        var control = await TestControl.StartAsync([]);
        AgentProcess agent;
        await using (control)
        {
            agent = AgentProcess.Start(folder.At("agent"), control.Url);
            worker = (await control.HeartbeatAsync(IsReady)).Devices[0].WorkerProcessId;
        }
        using (agent)
        {
            agent.Orphan();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromMinutes(1));
            Assert.Equal(0, await agent.ExitAsync().WaitAsync(limit.Token));
        }
        Assert.Null(ProcessIdentity.Of(worker));
    }

    private static bool IsReady(NodeHeartbeat heartbeat) => heartbeat.Devices is [{ State: DeviceState.Ready }];

    private static async Task<List<Grains.Interfaces.Jobs.ItemResult>> ResultsAsync(TestControl control)
    {
        var results = new List<Grains.Interfaces.Jobs.ItemResult>();
        ShardReport report;
        do
        {
            report = await control.Pool.Reports.Reader.ReadAsync(TestContext.Current.CancellationToken);
            results.AddRange(report.Results);
        } while (report.Outcome == ShardOutcome.Progress);
        Assert.Equal(ShardOutcome.Finished, report.Outcome);
        return results;
    }
}
