using System.Reflection;
using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>The devices of this node, found once by the drivers, and their supervisors running.</summary>
internal sealed class DeviceRegistry(
    AgentOptions options,
    IEnumerable<IDeviceDriver> drivers,
    LocalDeviceFactory factory,
    NodeHealth health
) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly NodeFacts node = new(
        options.Node,
        Guid.NewGuid(),
        Environment.MachineName,
        RuntimeInformation.OSDescription,
        RuntimeInformation.OSArchitecture.ToString(),
        Assembly.GetExecutingAssembly().GetName().Version?.ToString() ?? "0",
        Environment.ProcessId
    );
    private volatile Dictionary<string, LocalDevice> devices = new(StringComparer.Ordinal);
    private Task running = Task.CompletedTask;

    public IReadOnlyCollection<LocalDevice> Devices => devices.Values;

    /// <summary>The device of that key (<c>node/device</c>), or null.</summary>
    public LocalDevice? Find(string key) => devices.GetValueOrDefault(key);

    public NodeHeartbeat Describe(bool leaving) =>
        new(
            node,
            [.. devices.Values.Select(device => device.Status())],
            leaving,
            NodeConditions.NotInOrder(health.Checks.Concat(OfDevices()))
        );

    /// <summary>Every check of the machine, made now, and what the devices' workers found.</summary>
    public async Task<NodeExamination> ExamineAsync(CancellationToken cancellationToken)
    {
        var examined = await health.ExamineAsync(Facts(), cancellationToken);
        return examined with { Conditions = [.. examined.Conditions, .. OfDevices()] };
    }

    /// <summary>Finds the devices and brings up their workers; returns before they are ready.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, LocalDevice>(StringComparer.Ordinal);
        foreach (var driver in drivers)
        {
            foreach (var description in await driver.DiscoverAsync(cancellationToken))
            {
                if (!options.Lends(description.Name))
                    continue;
                var device = factory.Create(description);
                found.Add(device.Facts.Device.ToString(), device);
            }
        }
        devices = found;
        running = Task.WhenAll([
            Task.Run(() => WatchHealthAsync(stopping.Token), CancellationToken.None),
            .. found.Values.Select(device => Task.Run(() => device.RunAsync(stopping.Token))),
        ]);
    }

    /// <summary>Stops the shards, then the workers. Returns when no process is left.</summary>
    public async Task StopAsync()
    {
        await Task.WhenAll(devices.Values.Select(device => device.Shards.LeaveAsync()));
        await stopping.CancelAsync();
        await running;
    }

    private async Task WatchHealthAsync(CancellationToken cancellationToken)
    {
        try
        {
            await health.RunAsync(Facts, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    private IReadOnlyList<DeviceFacts> Facts() => [.. devices.Values.Select(device => device.Facts)];

    private IEnumerable<NodeCondition> OfDevices() =>
        devices.Values.Select(device => device.Condition()).OfType<NodeCondition>();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var device in devices.Values)
            device.Models.Dispose();
        stopping.Dispose();
    }
}
