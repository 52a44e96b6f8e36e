using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>A device and the run of its supervisor.</summary>
internal sealed class RunningDevice : IDisposable
{
    private readonly CancellationTokenSource ending;

    private RunningDevice(LocalDevice device, CancellationTokenSource ending, Task running) =>
        (Device, this.ending, Running) = (device, ending, running);

    public LocalDevice Device { get; }

    public string Name => Device.Facts.Device.Name;

    /// <summary>Completes when no process of it is left.</summary>
    public Task Running { get; }

    /// <param name="died">Called when its worker has died.</param>
    public static RunningDevice Start(LocalDevice device, Action died, CancellationToken stopping)
    {
        var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        device.Supervisor.Died = died;
        device.Supervisor.Tested = worker => _ = device.Models.TakeOverAsync(worker);
        var running = Task.Run(() => device.RunAsync(end.Token), CancellationToken.None);
        return new RunningDevice(device, end, running);
    }

    /// <summary>Ends it for good; another device takes its place.</summary>
    public async Task RetireAsync()
    {
        await Device.Shards.LeaveAsync();
        await ending.CancelAsync();
        await Running;
        Dispose();
    }

    public void Dispose()
    {
        Device.Models.Dispose();
        ending.Dispose();
    }
}
