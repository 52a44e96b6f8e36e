using System.Reflection;
using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>
/// The devices of this node. The drivers are asked again and again: one that appears gets a worker, one that is gone loses it
/// and its leases, one that is back is tested before it serves.
/// </summary>
internal sealed partial class DeviceRegistry(
    AgentOptions options,
    IEnumerable<IDeviceDriver> drivers,
    LocalDeviceFactory factory,
    NodeHealth health,
    CrashGuard guard,
    OwnerWishes wishes,
    ChangeSignal changes,
    TimeProvider time,
    ILogger<DeviceRegistry> log
) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly ChangeSignal looks = new();
    private readonly NodeFacts node = new(
        options.Node,
        Guid.NewGuid(),
        Environment.MachineName,
        RuntimeInformation.OSDescription,
        RuntimeInformation.OSArchitecture.ToString(),
        Assembly.GetExecutingAssembly().GetName().Version?.ToString() ?? "0",
        Environment.ProcessId
    );
    private readonly Dictionary<IDeviceDriver, HotPlug> seen = [];
    private volatile Dictionary<string, RunningDevice> devices = new(StringComparer.Ordinal);
    private Task running = Task.CompletedTask;
    private bool hasLooked;

    public IReadOnlyCollection<LocalDevice> Devices => [.. devices.Values.Select(one => one.Device)];

    /// <summary>The device of that key (<c>node/device</c>), or null.</summary>
    public LocalDevice? Find(string key) =>
        devices.Values.FirstOrDefault(one => one.Device.Facts.Device.ToString() == key)?.Device;

    /// <summary>The device of that name on this node, or null.</summary>
    public LocalDevice? FindByName(string name) => Devices.FirstOrDefault(device => device.Facts.Device.Name == name);

    public NodeHeartbeat Describe(bool leaving) =>
        new(
            node,
            [.. Devices.Select(device => device.Status())],
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
        await LookAsync(cancellationToken);
        hasLooked = true;
        running = Task.WhenAll(
            Task.Run(() => UntilStoppedAsync(health.RunAsync(Facts, stopping.Token)), CancellationToken.None),
            Task.Run(() => UntilStoppedAsync(WatchAsync(stopping.Token)), CancellationToken.None)
        );
    }

    /// <summary>Has the drivers asked and the machine examined soon: something has happened to a device.</summary>
    public void LookSoon()
    {
        looks.Raise();
        health.Ask();
    }

    /// <summary>Takes no more shards; returns when every fine-tuning has made its state durable, or has taken too long.</summary>
    public Task DrainAsync() => Task.WhenAll(Devices.Select(device => device.Shards.DrainAsync()));

    /// <summary>Stops the shards, then the workers. Returns when no process is left.</summary>
    public async Task StopAsync()
    {
        await Task.WhenAll(Devices.Select(device => device.Shards.LeaveAsync()));
        await stopping.CancelAsync();
        await running;
        await Task.WhenAll(devices.Values.Select(device => device.Running));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var device in devices.Values)
            device.Dispose();
        stopping.Dispose();
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var isSoon = looks.WaitAsync(either.Token);
            await Task.WhenAny(isSoon, Task.Delay(Limits.DiscoverEvery, time, either.Token));
            await either.CancelAsync();
            await Task.Delay(Limits.DiscoverSoon, time, cancellationToken);
            await LookAsync(cancellationToken);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var driver in drivers)
        {
            IReadOnlyList<DeviceDescription> found;
            try
            {
                found =
                [
                    .. (await driver.DiscoverAsync(cancellationToken)).Where(device => options.Lends(device.Name)),
                ];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It cannot tell now, which does not mean that anything is gone.
                LogBlind(driver.Kind, e);
                continue;
            }
            var before = seen.GetValueOrDefault(driver, HotPlug.Nothing);
            (seen[driver], var actions) = before.Look(found, Works);
            foreach (var action in actions)
                await CarryOutAsync(action);
        }
    }

    private bool Works(string name) => devices.GetValueOrDefault(name)?.Device.Supervisor.Worker is not null;

    private async Task CarryOutAsync(HotPlugAction action)
    {
        switch (action)
        {
            case HotPlugAction.Appeared(var device):
                var appeared = Add(device);
                // Not there when the agent started: somebody has plugged it in since.
                if (hasLooked)
                    Return(appeared);
                break;
            case HotPlugAction.Changed(var device, var isAnother):
                LogChanged(device.Name, device.Model);
                var before = devices[device.Name];
                await before.RetireAsync();
                // What was asked for the card that was there is not meant for this one.
                if (isAnother)
                    wishes.Set(before.Name, isEjected: false);
                Add(device);
                break;
            case HotPlugAction.Doubted(var name):
                LogDoubted(name);
                looks.Raise();
                break;
            case HotPlugAction.Left(var name):
                LogLeft(name);
                Leave(devices[name].Device);
                break;
            case HotPlugAction.Returned(var device):
                LogReturned(device.Name);
                Return(devices[device.Name].Device);
                break;
        }
        health.Ask();
        changes.Raise();
    }

    private LocalDevice Add(DeviceDescription description)
    {
        var device = factory.Create(description);
        var name = device.Facts.Device.Name;
        if (guard.IsTripped(name))
            device.Hold(DeviceReasons.Guarded(device.Facts.Device));
        if (wishes.IsEjected(name))
            device.HoldEjected();
        var started = RunningDevice.Start(device, LookSoon, stopping.Token);
        devices = new Dictionary<string, RunningDevice>(devices, StringComparer.Ordinal)
        {
            [description.Name] = started,
        };
        return device;
    }

    private static void Leave(LocalDevice device) => device.Hold(DeviceReasons.Absent(device.Facts.Name));

    /// <summary>Whoever plugs a device in again wants it to work: that takes an ejection back.</summary>
    private void Return(LocalDevice device)
    {
        wishes.Set(device.Facts.Device.Name, isEjected: false);
        device.Attach();
        device.Release(HoldKind.Absent);
    }

    private IReadOnlyList<DeviceFacts> Facts() => [.. Devices.Select(device => device.Facts)];

    private IEnumerable<NodeCondition> OfDevices() =>
        Devices.Select(device => device.Condition()).OfType<NodeCondition>();

    private async Task UntilStoppedAsync(Task work)
    {
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
    }
}
