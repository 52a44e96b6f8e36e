using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>What an owner does with a device, and what its drivers see, on a real worker process.</summary>
public sealed class DeviceOrderTests
{
    [Fact]
    public async Task Ejecting_gives_the_work_back_with_what_is_done_and_leaves_no_process()
    {
        Stories.Require();
        await using var rig = await DeviceRig.StartAsync();
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Assignment(DeviceRig.Prompts(400), maxTokens: 64)));
        var reports = new List<ShardReport> { await rig.Reports.NextAsync() };
        var (pid, started) = (rig.Device.Supervisor.ProcessId, ProcessIdentity.Of(rig.Device.Supervisor.ProcessId));

        await Task.WhenAll(rig.Device.EjectAsync(), rig.Device.EjectAsync());
        var ejected = await rig.UntilAsync(status => status.State == DeviceState.Ejected);

        while (rig.Reports.Unread > 0)
            reports.Add(await rig.Reports.NextAsync());
        Assert.All(reports, report => Assert.Equal(ShardOutcome.Progress, report.Outcome));
        var done = reports.SelectMany(report => report.Results).Select(result => result.Index).ToList();
        Assert.Equal(done.Count, done.Distinct().Count());
        Assert.InRange(done.Count, 1, 399);
        Assert.Empty(ejected.RunningShards);
        Assert.Equal(0, ejected.WorkerProcessId);
        Assert.NotEqual(started, ProcessIdentity.Of(pid));
        Assert.NotNull(rig.Device.Shards.Start(DeviceRig.Noop(7)));
        Assert.Null(rig.Device.Condition());

        rig.Device.Attach();
        var back = await rig.UntilAsync(status => status.State == DeviceState.Ready);
        Assert.NotEqual(pid, back.WorkerProcessId);
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Noop(8)));
    }

    [Fact]
    public async Task A_rehearsed_cable_kills_the_worker_and_its_shard_says_so()
    {
        await using var rig = await DeviceRig.StartAsync();
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Noop(1, milliseconds: 60_000)));
        var before = rig.Device.Supervisor.ProcessId;
        rig.Device.Hold(DeviceReasons.Rehearsal(TimeSpan.FromSeconds(5)));
        var report = await rig.Reports.NextAsync();
        Assert.Equal(
            (ShardOutcome.Failed, "worker_lost", true),
            (report.Outcome, report.Failure?.Code, report.Failure?.Retryable)
        );
        await rig.UntilAsync(status => status is { State: DeviceState.Offline, WorkerProcessId: 0 });
        rig.Device.Release(HoldKind.Rehearsal);
        await rig.UntilAsync(status => status.State == DeviceState.Ready && status.WorkerProcessId != before);
    }

    [Fact]
    public async Task A_device_that_is_gone_drops_its_leases_at_once_and_says_what_to_do()
    {
        await using var rig = await DeviceRig.StartAsync();
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Noop(1, milliseconds: 60_000)));
        rig.Device.Hold(DeviceReasons.Absent("RX 7900 XTX"));
        Assert.Empty(rig.Device.Shards.Running);
        await rig.UntilAsync(status => status.State == DeviceState.Offline);
        Assert.Equal("device_gone", rig.Device.Condition()?.Id);
        // Ejected while it is gone: whichever hold ends first, the other one keeps it.
        rig.Device.HoldEjected();
        rig.Device.Release(HoldKind.Absent);
        await rig.UntilAsync(status => status.State == DeviceState.Ejected);
        rig.Device.Attach();
        await rig.UntilAsync(status => status.State == DeviceState.Ready);
        Assert.Null(rig.Device.Condition());
    }

    [Fact]
    public async Task What_a_worker_died_of_is_the_devices_reason_and_condition_until_the_next_one_has_passed_its_test()
    {
        await using var rig = await DeviceRig.StartAsync();
        var died = new TaskCompletionSource<(DeviceStatus, NodeCondition?)>();
        rig.Device.Supervisor.Died = () => died.TrySetResult((rig.Device.Status(), rig.Device.Condition()));
        rig.KillWorker("Traceback (most recent call last):\n  File \"nvdev.py\", line 113\nKeyError: 63\n");
        var (status, condition) = await died.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(DeviceState.Failed, status.State);
        Assert.Contains("all ones", status.Reason, StringComparison.Ordinal);
        Assert.Equal(
            ("architecture_reads_ones", ConditionState.Failed, "KeyError: 63", "cpu0"),
            (condition?.Id, condition?.State, condition?.Seen, condition?.Device)
        );
        Assert.Contains("enclosure", condition?.Fix, StringComparison.Ordinal);

        await rig.UntilAsync(now => now.State == DeviceState.Ready);
        Assert.Null(rig.Device.Condition());
        // What an earlier worker wrote is not held against the next one.
        died = new();
        rig.KillWorker();
        Assert.Equal(
            WorkerDeath.UnknownId,
            (await died.Task.WaitAsync(TestContext.Current.CancellationToken)).Item2?.Id
        );
    }

    [Fact]
    public void What_a_state_does_not_allow_is_refused_in_words_and_everything_else_may_be_repeated()
    {
        foreach (var state in Enum.GetValues<DeviceState>())
        {
            Assert.Equal(state == DeviceState.Ready, DeviceOrders.WhyNot(DeviceVerb.Rehearse, state) is null);
            Assert.Equal(state == DeviceState.Ready, DeviceOrders.WhyNot(DeviceVerb.Bench, state) is null);
            Assert.Equal(state != DeviceState.Offline, DeviceOrders.WhyNot(DeviceVerb.Eject, state) is null);
            Assert.Null(DeviceOrders.WhyNot(DeviceVerb.Attach, state));
            Assert.Null(DeviceOrders.WhyNot(DeviceVerb.Clear, state));
        }
    }

    [Fact]
    public void The_owners_wish_outlives_the_agent()
    {
        using var folder = new TempFolder();
        var file = folder.At("ejected.json");
        new OwnerWishes(file).Set("egpu0", isEjected: true);
        Assert.True(new OwnerWishes(file).IsEjected("egpu0"));
        new OwnerWishes(file).Set("egpu0", isEjected: false);
        Assert.False(new OwnerWishes(file).IsEjected("egpu0"));
        File.WriteAllText(file, "{torn");
        Assert.False(new OwnerWishes(file).IsEjected("egpu0"));
    }
}
