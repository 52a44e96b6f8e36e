namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>What an owner wants of a device.</summary>
public enum DeviceVerb
{
    /// <summary>Make it safe to unplug: its work is given back, its worker ended, and none started before it is attached again.</summary>
    Eject = 0,

    /// <summary>Take an ejection back.</summary>
    Attach = 1,

    /// <summary>What was wrong is mended: end a quarantine, and the guard against crash loops.</summary>
    Clear = 2,

    /// <summary>Play a pulled cable: the worker is killed, and the device is gone for a while.</summary>
    Rehearse = 3,

    /// <summary>Measure it now; the result comes with its status.</summary>
    Bench = 4,
}

/// <summary>An order for one device of a node.</summary>
/// <param name="Device">Its name on the node.</param>
/// <param name="Duration">Of a rehearsal; the agent bounds it.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceOrder")]
public sealed record DeviceOrder(
    [property: Id(0)] string Device,
    [property: Id(1)] DeviceVerb Verb,
    [property: Id(2)] TimeSpan Duration = default
);

/// <summary>What became of an order.</summary>
/// <param name="Device">The device just afterwards; null: the node has none of that name.</param>
/// <param name="Refusal">Why its state does not allow it; null: done, or already so.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceOrderReply")]
public sealed record DeviceOrderReply([property: Id(0)] DeviceStatus? Device, [property: Id(1)] string? Refusal);
