using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Carries out what an owner wants of a device. Every order is logged, and may be repeated.</summary>
internal sealed partial class DeviceOrders(
    DeviceRegistry devices,
    OwnerWishes wishes,
    CrashGuard guard,
    TimeProvider time,
    ILogger<DeviceOrders> log
)
{
    public DeviceOrderReply CarryOut(DeviceOrder order)
    {
        if (devices.FindByName(order.Device) is not { } device)
            return new DeviceOrderReply(Device: null, Refusal: null);
        if (WhyNot(order.Verb, device.Status().State) is { } refusal)
            return new DeviceOrderReply(device.Status(), refusal);
        LogOrder(order.Verb, order.Device);
        try
        {
            return new DeviceOrderReply(device.Status(), CarryOut(order, device));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is not on the disk would be forgotten: better not begun.
            return new DeviceOrderReply(device.Status(), $"The node cannot keep this order: {e.Message}");
        }
    }

    /// <summary>Gives why it cannot be, where only the device knows; null where it is done.</summary>
    private string? CarryOut(DeviceOrder order, LocalDevice device)
    {
        var name = order.Device;
        switch (order.Verb)
        {
            case DeviceVerb.Eject:
                wishes.Set(name, isEjected: true);
                // Takes as long as the pool needs for the last results; never faults.
                _ = Task.Run(device.EjectAsync);
                break;
            case DeviceVerb.Attach:
                wishes.Set(name, isEjected: false);
                device.Attach();
                break;
            case DeviceVerb.Clear:
                guard.Forgive(name);
                device.Release(HoldKind.Guarded);
                device.Supervisor.Clear();
                break;
            case DeviceVerb.Rehearse:
                var bounded = TimeSpan.FromTicks(
                    Math.Clamp(order.Duration.Ticks, TimeSpan.TicksPerSecond, Limits.LongestRehearsal.Ticks)
                );
                device.Hold(DeviceReasons.Rehearsal(bounded));
                _ = Task.Run(() => EndAsync(device, bounded));
                break;
            case DeviceVerb.Bench:
                return device.StartBench();
        }
        return null;
    }

    /// <summary>Pure: in one sentence, why the state of a device does not allow an order; null where it does.</summary>
    public static string? WhyNot(DeviceVerb verb, DeviceState state) =>
        (verb, state) switch
        {
            (DeviceVerb.Eject, DeviceState.Offline) => "It is not there: there is nothing to eject.",
            (DeviceVerb.Rehearse, not DeviceState.Ready) =>
                "Only a device that is ready can lose its cable in a rehearsal.",
            (DeviceVerb.Bench, not DeviceState.Ready) => "Only a device that is ready can be measured.",
            _ => null,
        };

    /// <summary>The rehearsal lives in this process alone: an agent that dies takes it along, and the next one knows of none.</summary>
    private async Task EndAsync(LocalDevice device, TimeSpan duration)
    {
        await Task.Delay(duration, time);
        device.Release(HoldKind.Rehearsal);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The owner orders: {Verb} {Device}")]
    private partial void LogOrder(DeviceVerb verb, string device);
}
