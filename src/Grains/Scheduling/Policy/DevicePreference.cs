using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>What a choice of devices means for a device: a requirement is kept, a preference is followed or its breach told.</summary>
public static class DevicePreference
{
    public static bool Allows(DeviceChoice? choice, DeviceSlot device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return choice?.Require is not { } required || DeviceChoice.IsOf(required, device.Kind);
    }

    public static bool Prefers(DeviceChoice? choice, DeviceSlot device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return choice?.Prefer is { } preferred && DeviceChoice.IsOf(preferred, device.Kind);
    }

    /// <summary>Nothing falls back silently: why work is not where it was to be; null when it is.</summary>
    /// <param name="devices">All that could have been chosen.</param>
    /// <param name="isFitting">Whether one of them has room for the work now, were it free.</param>
    public static string? FallbackOf(
        DeviceChoice? choice,
        DeviceSlot chosen,
        ImmutableArray<DeviceSlot> devices,
        Predicate<DeviceSlot> isFitting
    )
    {
        if (choice?.Prefer is null || Prefers(choice, chosen))
            return null;
        var wanted = devices.Where(device => Prefers(choice, device)).ToList();
        if (wanted.Count == 0)
            return "none of the kind preferred is in the fleet";
        var ready = wanted.FindAll(device => device.Ready);
        if (ready.Count == 0)
            return "none of the kind preferred is ready";
        return ready.Exists(isFitting)
            ? "those of the kind preferred are busy"
            : "the model does not fit those of the kind preferred now";
    }
}
