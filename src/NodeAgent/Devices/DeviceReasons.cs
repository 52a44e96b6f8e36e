using EgpuFleet.Grains.Interfaces;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Why a device is kept without a worker, in words.</summary>
internal static class DeviceReasons
{
    public static WorkerHold Guarded(DeviceId device) =>
        new(
            HoldKind.Guarded,
            $"The machine went down {Limits.CrashesToGuard} times in a row while this device was in use.",
            $"Look at ./fleet doctor {device.Node} and the panic reports; when the cause is mended: ./fleet device clear {device}"
        );

    public static WorkerHold Absent(string model) =>
        new(
            HoldKind.Absent,
            $"{model} is not found any more: unplugged, switched off, or its link is dead.",
            "Switch the enclosure on and plug it in; the device is tested and serves again by itself."
        );

    public static WorkerHold Ejected { get; } = new(HoldKind.Ejected, "Its owner ejected it: it is safe to unplug.");

    public static WorkerHold Rehearsal(TimeSpan duration) =>
        new(HoldKind.Rehearsal, $"A pulled cable is rehearsed for {duration.TotalSeconds:0.#} s.");
}
