using EgpuFleet.Api;
using EgpuFleet.TestKit.Fleet;
using EgpuFleet.TestKit.Fleet.Egpu;

namespace EgpuFleet.EndToEnd.Tests.Egpu;

/// <summary>
/// A batch on two devices, one of which hangs on a cable: what is lost with it is done elsewhere, once, and it comes back by
/// itself. The GPU is a labelled fake (<see cref="FakeEgpu"/>); agents, workers, tinygrad and Postgres are real.
/// </summary>
public sealed class EgpuFaultTests
{
    private const int Prompts = 300;

    [Fact]
    public async Task A_pulled_cable_costs_no_result_and_the_device_returns_when_it_is_plugged_in_again()
    {
        Assert.SkipWhen(FakeEgpu.Missing is not null, FakeEgpu.Missing ?? "");
        using var limit = Limit();
        await using var rig = await EgpuRig.StartAsync(limit.Token);
        var job = await rig.SubmitAsync(Prompts, limit.Token);
        var before = await rig.UntilComputingAsync(job.Id, limit.Token);

        await rig.Egpu.PullAsync();

        var lost = await rig.UntilRevokedAsync(job.Id, limit.Token);
        var away = await rig.UntilAsync(device => device.State != "ready" && device.Conditions.Count > 0, limit.Token);
        AssertCause(away, "connection_closed", "server_unreachable");
        var again = await rig.UntilRunningAgainAsync(job.Id, lost, limit.Token);
        Assert.StartsWith($"{EgpuRig.Plain}/", again.Device, StringComparison.Ordinal);

        await rig.Egpu.PlugAsync(limit.Token);

        await AssertCompleteAsync(rig, await rig.EndOfAsync(job.Id, limit.Token), limit.Token);
        var after = await rig.UntilAsync(device => device.State == "ready", limit.Token);
        Assert.NotEqual(before.WorkerProcessId, after.WorkerProcessId);
        Assert.Empty(after.Conditions);
    }

    [Fact]
    public async Task A_gpu_that_stands_still_loses_its_worker_and_costs_no_result()
    {
        Assert.SkipWhen(FakeEgpu.Missing is not null, FakeEgpu.Missing ?? "");
        using var limit = Limit();
        await using var rig = await EgpuRig.StartAsync(limit.Token);
        var job = await rig.SubmitAsync(Prompts, limit.Token);
        await rig.UntilComputingAsync(job.Id, limit.Token);

        rig.Egpu.Hang();

        var lost = await rig.UntilRevokedAsync(job.Id, limit.Token);
        await rig.UntilRunningAgainAsync(job.Id, lost, limit.Token);
        var away = await rig.UntilAsync(device => device.State != "ready" && device.Conditions.Count > 0, limit.Token);
        AssertCause(away, "device_hang");
        await AssertCompleteAsync(rig, await rig.EndOfAsync(job.Id, limit.Token), limit.Token);
    }

    [Fact]
    public async Task An_agent_frozen_with_all_it_has_for_three_leases_is_refused_and_joins_again()
    {
        Assert.SkipWhen(FakeEgpu.Missing is not null, FakeEgpu.Missing ?? "");
        using var limit = Limit();
        await using var rig = await EgpuRig.StartAsync(limit.Token, leaseSeconds: 2, stepSeconds: 60);
        var job = await rig.SubmitAsync(Prompts, limit.Token);
        await rig.UntilComputingAsync(job.Id, limit.Token);

        var tree = await rig.FreezeLinkedAsync();
        var lost = await rig.UntilRevokedAsync(job.Id, limit.Token);
        // Its sleep, not a wait for something: three leases pass while it has work in its hands.
        await Task.Delay(TimeSpan.FromSeconds(6), limit.Token);
        EgpuRig.Thaw(tree);

        await rig.UntilRunningAgainAsync(job.Id, lost, limit.Token);
        await AssertCompleteAsync(rig, await rig.EndOfAsync(job.Id, limit.Token), limit.Token);
        await rig.UntilAsync(device => device.State == "ready", limit.Token);
        // Whatever it had in its hands came too late: nothing of the lost lease is in the log after its loss.
        var log = await rig.Rig.Ledger.EventsAsync(RigLedger.IdOf(job.Id), limit.Token);
        var later = log.Where(entry => entry.Sequence > lost.Sequence && entry.Shard == lost.Shard).ToList();
        Assert.NotEmpty(later);
        Assert.All(later, entry => Assert.True(entry.Epoch > lost.Epoch, $"{entry} is of the lost lease"));
    }

    private static void AssertCause(DeviceInfo device, params string[] causes)
    {
        var condition = Assert.Single(device.Conditions);
        Assert.Contains(condition.Id, causes);
        Assert.False(string.IsNullOrEmpty(condition.Fix));
    }

    private static async Task AssertCompleteAsync(EgpuRig rig, JobInfo job, CancellationToken cancellationToken)
    {
        Assert.Equal("succeeded", job.State);
        Assert.Equal(new ItemCounts(Prompts, Prompts, 0), job.Items);
        var results = new List<ResultLine>();
        await foreach (var line in rig.Client.ReadResultsAsync(job.Id, cancellationToken))
            results.Add(line);
        Assert.Equal(Enumerable.Range(0, Prompts), results.Select(result => result.Index));
        Assert.All(results, result => Assert.False(string.IsNullOrEmpty(result.Text)));
    }

    private static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        return limit;
    }
}
