using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.NodeAgent.Tests.Workers;

/// <summary>A device that cannot be used is there with its reason, and nothing is started for it.</summary>
public sealed class UnusableDeviceTests
{
    [Fact]
    public async Task No_worker_is_started_until_the_agent_ends()
    {
        using var folder = new TempFolder();
        var asked = false;
        var launcher = new WorkerLauncher(
            folder.At("workers", "egpu0"),
            () =>
            {
                asked = true;
                throw new WorkerStartException("nothing to start");
            },
            "credential",
            TimeProvider.System,
            NullLogger<WorkerLauncher>.Instance
        );
        var supervisor = new WorkerSupervisor(
            "egpu0",
            WorkerLife.OfUnusable("The extension waits for approval."),
            launcher,
            new DeviceMemory(0),
            new BringUp(TimeProvider.System, new ChangeSignal()),
            TimeProvider.System,
            new ChangeSignal(),
            NullLogger<WorkerSupervisor>.Instance
        );
        using var stopping = new CancellationTokenSource();

        var running = supervisor.RunAsync(stopping.Token);

        Assert.False(running.IsCompleted);
        Assert.Equal(WorkerPhase.Unusable, supervisor.Life.Phase);
        Assert.Equal("The extension waits for approval.", supervisor.Life.Reason);
        await stopping.CancelAsync();
        await running;
        Assert.Equal(WorkerPhase.Stopped, supervisor.Life.Phase);
        Assert.False(asked);
    }
}
