using System.Net;
using System.Net.Sockets;
using EgpuFleet.Api;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>What is started is ended: no orphan, no port left open, and the second start finds everything.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task Down_leaves_nothing_running_and_up_works_again_on_the_same_data()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        await using var fleet = await FleetUnderTest.StartAsync(limit.Token, agents: 1);
        Assert.NotEmpty(await ProcessTable.FindAsync(fleet.DataDirectory, limit.Token));

        var down = await fleet.DownAsync(limit.Token);
        await fleet.WaitForSupervisorExitAsync(limit.Token);

        Assert.Equal(0, down.ExitCode);
        await AssertNothingLeftAsync(fleet, limit.Token);

        await fleet.UpAsync(limit.Token);
        Assert.Equal("ok", (await fleet.Client.GetReadyAsync(limit.Token)).Status);
        var again = await fleet.DownAsync(limit.Token);
        var nothing = await fleet.DownAsync(limit.Token);

        Assert.Equal(0, again.ExitCode);
        Assert.Equal(0, nothing.ExitCode);
        await AssertNothingLeftAsync(fleet, limit.Token);
    }

    [Fact]
    public async Task A_killed_supervisor_leaves_no_orphan_after_down()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        await using var fleet = await FleetUnderTest.StartAsync(limit.Token, agents: 1);

        await ProcessTable.KillAsync(fleet.SupervisorProcessId, limit.Token);
        var down = await fleet.DownAsync(limit.Token);

        Assert.Equal(0, down.ExitCode);
        await AssertNothingLeftAsync(fleet, limit.Token);
    }

    [Fact]
    public async Task A_watched_job_does_not_hold_the_way_down()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        await using var fleet = await FleetUnderTest.StartAsync(limit.Token, agents: 1);
        await fleet.AddModelAsync(
            SharedFleet.SampleModel,
            RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"),
            limit.Token
        );
        var items = Enumerable.Range(0, 5_000).Select(_ => new BatchLine(Prompt: "Once upon a time")).ToList();
        var job = await fleet.Client.SubmitAsync(
            new JobRequest("batch", SharedFleet.SampleModel, Items: items),
            null,
            limit.Token
        );
        await using var watch = fleet.Client.WatchJobAsync(job.Id, null, limit.Token).GetAsyncEnumerator(limit.Token);
        Assert.True(await watch.MoveNextAsync());

        var down = await fleet.DownAsync(limit.Token);

        Assert.Equal(0, down.ExitCode);
        await AssertNothingLeftAsync(fleet, limit.Token);
    }

    private static async Task AssertNothingLeftAsync(FleetUnderTest fleet, CancellationToken cancellationToken)
    {
        Assert.Empty(await ProcessTable.FindAsync(fleet.DataDirectory, cancellationToken));
        using var listener = new TcpListener(IPAddress.Loopback, fleet.Port);
        listener.Start();
    }
}
