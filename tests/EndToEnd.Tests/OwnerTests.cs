using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>What an owner does with devices while a batch runs on them: real processes, the real command line.</summary>
public sealed class OwnerTests
{
    private const int Prompts = 300;

    [Fact]
    public async Task A_rehearsed_cable_moves_the_work_and_an_ejected_device_stays_out_until_it_is_attached()
    {
        using var limit = Limit();
        await using var batch = await RunningBatch.StartAsync(Prompts, maxTokens: 128, limit.Token);
        var fleet = batch.Fleet;
        var busy = await batch.InTheMiddleAsync(limit.Token);
        var (node, name) = (busy.Node, busy.Id.Split('/')[1]);

        var rehearsal = await FleetAsync(
            fleet,
            limit.Token,
            "node",
            "rehearse",
            node,
            "--device",
            name,
            "--seconds",
            "2"
        );
        Assert.Equal(0, rehearsal.ExitCode);
        using var report = JsonDocument.Parse(rehearsal.Output);
        Assert.InRange(report.RootElement.GetProperty("back_after_seconds").GetDouble(), 2, 90);
        Assert.NotEmpty(report.RootElement.GetProperty("shards").EnumerateArray());
        var back = await fleet.Client.GetDeviceAsync(busy.Id, limit.Token);
        Assert.NotEqual(busy.WorkerProcessId, back.WorkerProcessId);

        var ejected = await FleetAsync(fleet, limit.Token, "device", "eject", busy.Id);
        Assert.Equal(0, ejected.ExitCode);
        var device = await fleet.Client.GetDeviceAsync(busy.Id, limit.Token);
        Assert.Equal(("ejected", null), (device.State, device.WorkerProcessId));
        Assert.Empty(device.RunningShards);
        // Nobody is left but the other device: it is not to be lost for practice.
        var other = (await fleet.Client.ListDevicesAsync(limit.Token)).Data.Single(one => one.Id != busy.Id);
        var refused = await FleetAsync(fleet, limit.Token, "node", "rehearse", other.Node);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("only device", refused.Error, StringComparison.Ordinal);

        var agent = (await fleet.Client.ListNodesAsync(limit.Token)).Data.Single(one => one.Id == node);
        await ProcessTable.KillAsync(agent.ProcessId!.Value, limit.Token);
        await UntilAsync(
            fleet,
            async () =>
                (await fleet.Client.ListNodesAsync(limit.Token)).Data.Single(one => one.Id == node)
                    is { State: "ready" } again
                && again.ProcessId != agent.ProcessId,
            limit.Token
        );
        Assert.Equal("ejected", (await fleet.Client.GetDeviceAsync(busy.Id, limit.Token)).State);

        Assert.Equal(0, (await FleetAsync(fleet, limit.Token, "device", "attach", busy.Id)).ExitCode);
        await UntilAsync(
            fleet,
            async () => (await fleet.Client.GetDeviceAsync(busy.Id, limit.Token)).State == "ready",
            limit.Token
        );
        await batch.AssertCompleteAsync(limit.Token);
    }

    [Fact]
    public async Task A_worker_keeps_its_model_while_its_agent_is_killed_and_started_again_and_the_job_goes_on()
    {
        using var limit = Limit();
        await using var batch = await RunningBatch.StartAsync(Prompts, maxTokens: 128, limit.Token);
        var fleet = batch.Fleet;
        var busy = await batch.InTheMiddleAsync(limit.Token);
        var agent = (await fleet.Client.ListNodesAsync(limit.Token)).Data.Single(one => one.Id == busy.Node);

        await ProcessTable.KillAsync(agent.ProcessId!.Value, limit.Token);

        DeviceInfo? again = null;
        await UntilAsync(
            fleet,
            async () =>
            {
                var now = (await fleet.Client.ListNodesAsync(limit.Token)).Data.Single(one => one.Id == busy.Node);
                again = await fleet.Client.GetDeviceAsync(busy.Id, limit.Token);
                return now.ProcessId != agent.ProcessId && again is { State: "ready", LoadedModels.Count: > 0 };
            },
            limit.Token
        );
        Assert.Equal(busy.WorkerProcessId, again!.WorkerProcessId);
        Assert.Equal(["tiny-fleet"], again.LoadedModels);
        await batch.AssertCompleteAsync(limit.Token);

        var doctor = await FleetAsync(fleet, limit.Token, "doctor", busy.Node);
        using var report = JsonDocument.Parse(doctor.Output);
        Assert.Equal(busy.Node, report.RootElement.GetProperty("node").GetString());
        Assert.Equal(doctor.ExitCode == 0, report.RootElement.GetProperty("is_well").GetBoolean());
        Assert.NotEmpty(report.RootElement.GetProperty("checks").EnumerateArray());
    }

    private static CancellationTokenSource Limit()
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        return limit;
    }

    private static Task<CommandResult> FleetAsync(
        FleetUnderTest fleet,
        CancellationToken cancellationToken,
        params string[] arguments
    ) => CommandLine.RunAsync(cancellationToken, [.. arguments, "--json", "--data", fleet.DataDirectory]);

    /// <summary>Looks again and again; the caller's limit ends it.</summary>
    private static async Task UntilAsync(
        FleetUnderTest fleet,
        Func<Task<bool>> isSo,
        CancellationToken cancellationToken
    )
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await isSo())
            Assert.True(await timer.WaitForNextTickAsync(cancellationToken), fleet.Output());
    }
}
