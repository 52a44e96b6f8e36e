using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>What the life of a device's worker means to the fleet. Pure.</summary>
internal static class DeviceStates
{
    /// <param name="hasWorker">Whether there is a worker that may be asked for something.</param>
    /// <param name="isDraining">Whether the device is giving its work back.</param>
    /// <param name="isEnding">Whether a process of a held device is on its way out.</param>
    public static DeviceState Of(WorkerLife life, bool hasWorker, bool isDraining, bool isEnding) =>
        life.Phase switch
        {
            WorkerPhase.Held => OfHeld(life.Hold?.Kind, isEnding),
            WorkerPhase.Stopped => DeviceState.Offline,
            WorkerPhase.Unusable => DeviceState.Unusable,
            _ when isDraining => DeviceState.Draining,
            // Its supervisor may not have noticed yet that it is gone; nobody else may be sent there meanwhile.
            WorkerPhase.Ready => hasWorker ? DeviceState.Ready : DeviceState.Failed,
            WorkerPhase.Quarantined => DeviceState.Quarantined,
            WorkerPhase.Waiting => DeviceState.Failed,
            _ => life.Reason is null ? DeviceState.Starting : DeviceState.Failed,
        };

    private static DeviceState OfHeld(HoldKind? kind, bool isEnding) =>
        kind switch
        {
            HoldKind.Ejected => isEnding ? DeviceState.Draining : DeviceState.Ejected,
            HoldKind.Guarded => DeviceState.Quarantined,
            _ => DeviceState.Offline,
        };
}
