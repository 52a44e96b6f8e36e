using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Execution;

/// <summary>Shards on a real worker process.</summary>
public sealed class ShardRunTests
{
    [Fact]
    public async Task Each_item_has_one_result_that_says_where_it_came_from()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(40), maxTokens: 64, epoch: 3)));
        var reports = await rig.Reports.AllAsync();

        Assert.Equal(ShardOutcome.Finished, reports[^1].Outcome);
        Assert.All(reports, report => Assert.Equal(Leases.Key(epoch: 3), report.Lease));
        var results = reports.SelectMany(report => report.Results).OrderBy(result => result.Index).ToList();
        Assert.Equal(Enumerable.Range(0, 40), results.Select(result => result.Index));
        foreach (var result in results)
        {
            Assert.Null(result.ErrorCode);
            Assert.Equal("length", result.FinishReason);
            Assert.Equal(64, result.CompletionTokens);
            Assert.Equal(Leases.Device, result.Device);
            Assert.Equal(rig.Device.Supervisor.ProcessId, result.WorkerProcessId);
            Assert.Equal(3, result.Attempt);
            if (result.Index % 2 == 0)
                Assert.StartsWith(Stories.Opening, result.Text, StringComparison.Ordinal);
        }
        Assert.True(rig.Device.Status().TokensPerSecond >= 0);
    }

    [Fact]
    public async Task An_error_of_an_item_is_its_result_and_the_others_go_on()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var items = new BatchItem[]
        {
            new(0, "fine", "Once", null),
            new(1, "long", string.Concat(Enumerable.Repeat("Once upon a time ", 400)), null),
            new(2, "chat", null, [new ChatMessage("user", "hello")]),
            new(3, "fine too", "", null),
        };
        rig.Device.Shards.Start(DeviceRig.Assignment(items, maxTokens: 8));
        var reports = await rig.Reports.AllAsync();

        Assert.Equal(ShardOutcome.Finished, reports[^1].Outcome);
        var results = reports.SelectMany(report => report.Results).ToDictionary(result => result.CustomId);
        Assert.Equal("context_length_exceeded", results["long"].ErrorCode);
        Assert.Equal("model_has_no_chat_template", results["chat"].ErrorCode);
        Assert.All([results["fine"], results["fine too"]], result => Assert.NotNull(result.Text));
        Assert.All([results["long"], results["chat"]], result => Assert.Null(result.Text));
    }

    [Fact]
    public async Task A_pool_that_does_not_answer_is_asked_again_with_the_same_results()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var asked = 0;
        rig.Reports.Answer = _ => ++asked < 3 ? throw new PoolUnavailableException("no leader") : ReportReply.Accepted;
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(2), maxTokens: 4));
        var report = await rig.Reports.NextAsync();
        Assert.Equal(ShardOutcome.Finished, report.Outcome);
        Assert.Equal(2, report.Results.Count);
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_fenced_report_stops_the_shard_for_good()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        rig.Reports.Answer = _ => ReportReply.Fenced;
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400));
        Assert.Equal(ShardOutcome.Progress, (await rig.Reports.NextAsync()).Outcome);
        await StoppedAsync(rig);
    }

    [Fact]
    public async Task A_lease_that_the_leader_does_not_renew_stops_at_once()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400));
        await rig.Reports.NextAsync();
        rig.Device.Shards.Renew([Leases.Key()], new HashSet<LeaseKey>(), rig.Clock.Now, DeviceRig.LeaseDuration, 0);
        await StoppedAsync(rig);
    }

    [Fact]
    public async Task After_a_sleep_past_the_deadline_nothing_more_is_reported()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400));
        await rig.Reports.NextAsync();
        rig.Clock.Now += TimeSpan.FromHours(1);
        // No timer has fired: the report itself asks the clock.
        await StoppedAsync(rig);
    }

    [Fact]
    public async Task A_killed_worker_is_a_retryable_failure_and_the_device_comes_back()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var before = rig.Device.Supervisor.ProcessId;
        DeviceStatus? atFailure = null;
        rig.Reports.Answer = report =>
        {
            if (report.Outcome == ShardOutcome.Failed)
                atFailure = rig.Device.Status();
            return ReportReply.Accepted;
        };
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400));
        var first = await rig.Reports.NextAsync();
        rig.KillWorker();
        var reports = await rig.Reports.AllAsync();

        var failed = reports[^1];
        Assert.Equal(ShardOutcome.Failed, failed.Outcome);
        Assert.Equal("worker_lost", failed.Failure!.Code);
        Assert.True(failed.Failure.Retryable);
        Assert.True(atFailure!.State != DeviceState.Ready || atFailure.WorkerProcessId != before);
        var indexes = reports
            .Prepend(first)
            .SelectMany(report => report.Results)
            .Select(result => result.Index)
            .ToList();
        Assert.Equal(indexes.Distinct(), indexes);

        var ready = await rig.UntilAsync(status =>
            status.State == DeviceState.Ready && status.WorkerProcessId != before
        );
        Assert.Null(ready.Reason);
        rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(4), maxTokens: 4, epoch: 2));
        Assert.Equal(ShardOutcome.Finished, (await rig.Reports.AllAsync())[^1].Outcome);
    }

    [Fact]
    public async Task Starting_is_idempotent_by_lease_and_refuses_what_it_cannot_take()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var shards = rig.Device.Shards;
        var first = DeviceRig.Assignment(DeviceRig.Prompts(200), maxTokens: 400, epoch: 2);
        Assert.Null(shards.Start(first));
        Assert.Null(shards.Start(first));
        Assert.Equal([first.Lease], shards.Running);
        Assert.Equal(RefusalCode.Fenced, shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(1), epoch: 1))!.Code);
        Assert.Equal(RefusalCode.DeviceBusy, shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(1), shard: 1))!.Code);

        var next = DeviceRig.Assignment(DeviceRig.Prompts(2), maxTokens: 4, epoch: 3);
        Assert.Null(shards.Start(next));
        var reports = new List<ShardReport>();
        do reports.Add(await rig.Reports.NextAsync());
        while (reports[^1].Outcome != ShardOutcome.Finished);
        Assert.Equal(next.Lease, reports[^1].Lease);
        Assert.Null(shards.Start(next));
        Assert.Equal(RefusalCode.Fenced, shards.Start(first)!.Code);
        await rig.UntilAsync(status => status.RunningShards.Length == 0);
    }

    [Fact]
    public async Task After_a_short_sleep_a_shard_goes_on_when_its_lease_is_confirmed_and_not_before()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var confirmed = false;
        var early = 0;
        var slept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Reports.Answer = _ =>
        {
            if (!slept.Task.IsCompleted)
                rig.Clock.Now += DeviceRig.LeaseDuration / 2;
            else if (!Volatile.Read(ref confirmed))
                early++;
            slept.TrySetResult();
            return ReportReply.Accepted;
        };
        var assignment = DeviceRig.Assignment(DeviceRig.Prompts(150), maxTokens: 60);
        rig.Device.Shards.Start(assignment);
        await slept.Task.WaitAsync(TestContext.Current.CancellationToken);
        var renewed = new HashSet<LeaseKey> { assignment.Lease };
        // The answer to a heartbeat from before the sleep confirms nothing.
        rig.Device.Shards.Renew([assignment.Lease], renewed, rig.Clock.Now, DeviceRig.LeaseDuration, sleeps: 0);
        Volatile.Write(ref confirmed, true);
        rig.Device.Shards.Renew([assignment.Lease], renewed, rig.Clock.Now, DeviceRig.LeaseDuration, rig.Watch.Look());

        var reports = await rig.Reports.AllAsync();
        Assert.Equal(ShardOutcome.Finished, reports[^1].Outcome);
        Assert.Equal(0, early);
        var indexes = reports.SelectMany(report => report.Results).Select(result => result.Index).Order();
        Assert.Equal(Enumerable.Range(0, 150), indexes);
    }

    /// <summary>The run has ended and left no report behind.</summary>
    private static async Task StoppedAsync(DeviceRig rig)
    {
        await rig.Device.Shards.LeaveAsync();
        Assert.Empty(rig.Device.Shards.Running);
        Assert.Equal(0, rig.Reports.Unread);
    }
}
