using System.Net;
using System.Net.Sockets;

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

    private static async Task AssertNothingLeftAsync(FleetUnderTest fleet, CancellationToken cancellationToken)
    {
        Assert.Empty(await ProcessTable.FindAsync(fleet.DataDirectory, cancellationToken));
        using var listener = new TcpListener(IPAddress.Loopback, fleet.Port);
        listener.Start();
    }
}
