using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Execution;

/// <summary>No-op shards on a real worker process.</summary>
public sealed class NoopShardsTests
{
    private const int Hour = 3_600_000;
    private const int Slots = NodeAgent.Limits.NoopSlots;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_that_arrive_together_are_answered_by_the_worker_process_and_reported_in_few_calls()
    {
        await using var rig = await DeviceRig.StartAsync();
        Assert.Equal(Slots, rig.Device.Status().Facts.NoopSlots);
        Assert.All(Start(rig, Enumerable.Range(0, Slots).Select(i => DeviceRig.Noop(i))), Assert.Null);
        for (var i = 0; i < Slots; i++)
        {
            var report = await rig.Reports.NextAsync();
            Assert.Equal(ShardOutcome.Finished, report.Outcome);
            var result = Assert.Single(report.Results);
            Assert.Equal(Digest($"payload {report.Lease.Shard.Number}"), result.Text);
            Assert.Equal(rig.Device.Supervisor.ProcessId, result.WorkerProcessId);
            Assert.Equal(report.Lease.Epoch, result.Attempt);
        }
        await NoneHeldAsync(rig);
    }

    [Fact]
    public async Task Beyond_the_slots_a_shard_is_refused_and_a_model_runs_beside_them()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        var refusals = Start(rig, Enumerable.Range(0, Slots + 1).Select(i => DeviceRig.Noop(i, milliseconds: Hour)));
        Assert.All(refusals.SkipLast(1), Assert.Null);
        Assert.Equal(RefusalCode.DeviceBusy, refusals[^1]!.Code);
        Assert.Equal(RefusalCode.DeviceBusy, Start(rig, [DeviceRig.Noop(100)])[0]!.Code);

        Assert.Null(rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(2), maxTokens: 4, shard: 1000)));
        Assert.Equal(ShardOutcome.Finished, (await rig.Reports.AllAsync())[^1].Outcome);

        rig.Device.Shards.Stop(Leases.Key(3), "stopped");
        Assert.Null(Start(rig, [DeviceRig.Noop(100)])[0]);
        Assert.Equal(100, (await rig.Reports.NextAsync()).Lease.Shard.Number);
    }

    [Fact]
    public async Task A_shard_of_many_items_is_reported_in_order_and_completely()
    {
        await using var rig = await DeviceRig.StartAsync();
        Start(rig, [DeviceRig.Noop(0, items: 1000)]);
        var reports = await rig.Reports.AllAsync();
        Assert.Equal(ShardOutcome.Finished, reports[^1].Outcome);
        var results = reports.SelectMany(report => report.Results).ToList();
        Assert.Equal(Enumerable.Range(0, 1000), results.Select(result => result.Index));
        Assert.All(results, result => Assert.Equal(Digest($"payload {result.Index}"), result.Text));
    }

    [Fact]
    public async Task A_killed_worker_fails_every_shard_it_had_at_once_and_retryably()
    {
        await using var rig = await DeviceRig.StartAsync();
        var before = rig.Device.Supervisor.ProcessId;
        Start(rig, Enumerable.Range(0, Slots).Select(i => DeviceRig.Noop(i, milliseconds: Hour)));
        rig.KillWorker();
        for (var i = 0; i < Slots; i++)
            AssertFailed(await rig.Reports.NextAsync(), "worker_lost", retryable: true);
        Assert.Equal(0, rig.Reports.Unread);
        await rig.UntilAsync(status => status.State == DeviceState.Ready && status.WorkerProcessId != before);
        Assert.Null(Start(rig, [DeviceRig.Noop(0, epoch: 2)])[0]);
        Assert.Equal(ShardOutcome.Finished, (await rig.Reports.NextAsync()).Outcome);
    }

    [Fact]
    public async Task Without_a_ready_worker_nothing_is_taken()
    {
        await using var rig = await DeviceRig.StartAsync();
        Start(rig, [DeviceRig.Noop(0, milliseconds: Hour)]);
        rig.KillWorker();
        AssertFailed(await rig.Reports.NextAsync(), "worker_lost", retryable: true);
        // The report came after the device knew; the next worker cannot be up before its own changes were signalled.
        var refusal = Start(rig, [DeviceRig.Noop(1)])[0];
        Assert.True(
            refusal is { Code: RefusalCode.NodeDraining } || rig.Device.Status().State == DeviceState.Ready,
            refusal?.Message
        );
    }

    [Theory]
    [InlineData(NoopFault.Fail, "noop_failed", false)]
    [InlineData(NoopFault.FailRetryable, "noop_interrupted", true)]
    [InlineData(NoopFault.Crash, "worker_lost", true)]
    public async Task A_told_failure_is_typed(NoopFault fault, string code, bool retryable)
    {
        await using var rig = await DeviceRig.StartAsync();
        Start(rig, [DeviceRig.Noop(0, fault: fault)]);
        AssertFailed(await rig.Reports.NextAsync(), code, retryable);
        await NoneHeldAsync(rig);
    }

    [Fact]
    public async Task A_worker_that_owes_an_answer_for_too_long_is_replaced()
    {
        await using var rig = await DeviceRig.StartAsync();
        var before = rig.Device.Supervisor.ProcessId;
        Start(rig, [DeviceRig.Noop(0, fault: NoopFault.Hang), DeviceRig.Noop(1, milliseconds: Hour)]);
        rig.Device.Shards.Tick();
        Assert.Equal(0, rig.Reports.Unread);
        rig.Patience.Advance(NodeAgent.Limits.NoopPatience + TimeSpan.FromSeconds(1));
        rig.Device.Shards.Tick();
        var reports = new[] { await rig.Reports.NextAsync(), await rig.Reports.NextAsync() };
        AssertFailed(reports.Single(report => report.Lease.Shard.Number == 0), "worker_hung", retryable: true);
        AssertFailed(reports.Single(report => report.Lease.Shard.Number == 1), "worker_lost", retryable: true);
        await rig.UntilAsync(status => status.State == DeviceState.Ready && status.WorkerProcessId != before);
    }

    [Fact]
    public async Task After_a_sleep_a_new_shard_waits_until_the_pool_has_answered()
    {
        await using var rig = await DeviceRig.StartAsync();
        rig.Clock.Now += TimeSpan.FromHours(1);
        var early = DeviceRig.Noop(0);
        Start(rig, [early]);
        Start(rig, [DeviceRig.Noop(1, milliseconds: Hour)]);
        rig.Device.Shards.Stop(Leases.Key(1), "stopped");
        Assert.Equal(0, rig.Reports.Unread);
        var sleeps = rig.Watch.Look();
        rig.Watch.Answer(sleeps);
        Start(rig, [DeviceRig.Noop(2)]);
        Assert.Equal(2, (await rig.Reports.NextAsync()).Lease.Shard.Number);
        rig.Device.Shards.Renew(
            [early.Lease],
            new HashSet<LeaseKey> { early.Lease },
            rig.Clock.Now,
            DeviceRig.LeaseDuration,
            sleeps
        );
        Assert.Equal(0, (await rig.Reports.NextAsync()).Lease.Shard.Number);
    }

    [Fact]
    public async Task Starting_again_is_idempotent_and_a_later_epoch_takes_the_place_of_the_earlier()
    {
        await using var rig = await DeviceRig.StartAsync();
        var first = DeviceRig.Noop(0, milliseconds: Hour);
        Assert.Null(Start(rig, [first])[0]);
        Assert.Null(Start(rig, [first])[0]);
        Assert.Equal([first.Lease], rig.Device.Shards.Running);
        Assert.Null(Start(rig, [DeviceRig.Noop(0, epoch: 3)])[0]);
        Assert.Equal(3, (await rig.Reports.NextAsync()).Lease.Epoch);
        Assert.Equal(RefusalCode.Fenced, Start(rig, [DeviceRig.Noop(0, epoch: 2)])[0]!.Code);
        Assert.Null(Start(rig, [DeviceRig.Noop(0, epoch: 3)])[0]);
        await NoneHeldAsync(rig);
        Assert.Equal(0, rig.Reports.Unread);
    }

    private static Refusal?[] Start(DeviceRig rig, IEnumerable<ShardAssignment> assignments) =>
        rig.Device.Shards.Start([.. assignments]);

    private static void AssertFailed(ShardReport report, string code, bool retryable)
    {
        Assert.Equal(ShardOutcome.Failed, report.Outcome);
        Assert.Equal(code, report.Failure!.Code);
        Assert.Equal(retryable, report.Failure.Retryable);
    }

    /// <summary>Every lease is done with; the last reply may still be on its way when its report was seen.</summary>
    private static async Task NoneHeldAsync(DeviceRig rig)
    {
        while (rig.Device.Shards.Running.Length > 0)
        {
            Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static string Digest(string payload) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(payload)));
}
