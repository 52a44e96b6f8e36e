using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Turns what the doctor and the workers found into the conditions of the node. Pure.</summary>
internal static class NodeConditions
{
    /// <summary>Checks that speak of the GPU and not of the machine.</summary>
    private static readonly HashSet<string> OfGpu = new(StringComparer.Ordinal)
    {
        "pci_id",
        "link",
        "address_windows",
        "attached",
        "compiler",
        "firmware_cache",
        "amd_driver",
        "kfd",
        "render_node",
        "amd_compiler",
        "nvidia_driver",
        "nvidia_smi",
        "nvidia_nodes",
    };

    /// <summary>The doctor's checks; one that says what it said before goes on since then.</summary>
    /// <param name="devices">Of the node: a check of a GPU belongs to the one that there is.</param>
    public static ImmutableArray<NodeCondition> Of(
        DoctorReport report,
        IReadOnlyList<DeviceFacts> devices,
        IReadOnlyList<NodeCondition> before,
        DateTimeOffset now
    )
    {
        var gpus = devices.Where(device => device.Kind is DeviceKind.ExternalGpu or DeviceKind.LinuxGpu).ToList();
        var gpu = gpus is [var only] ? only.Device.Name : null;
        return
        [
            .. report.Checks.Select(check =>
                Since(
                    new NodeCondition(
                        check.Id,
                        StateOf(check.State),
                        Limits.Clip(check.Seen),
                        ClipOrNull(check.Cause),
                        ClipOrNull(check.Fix),
                        OfGpu.Contains(check.Id) ? gpu : null,
                        now
                    ),
                    before
                )
            ),
        ];
    }

    /// <summary>What the worker of a device died of.</summary>
    public static NodeCondition Of(string device, WorkerTrouble trouble) =>
        new(
            trouble.Death.Id,
            ConditionState.Failed,
            Limits.Clip(trouble.Death.Seen),
            Limits.Clip(trouble.Death.Cause),
            Limits.Clip(trouble.Death.Fix),
            device,
            trouble.Since
        );

    /// <summary>Why a device is kept without a worker, where a person can do something about it.</summary>
    public static NodeCondition Of(string device, WorkerHold hold, DateTimeOffset since) =>
        new(
            hold.Kind == HoldKind.Guarded ? "crash_loop_guard" : "device_gone",
            ConditionState.Failed,
            Limits.Clip(hold.Reason),
            Cause: Limits.Clip(hold.Reason),
            hold.Fix is { } fix ? Limits.Clip(fix) : null,
            device,
            since
        );

    /// <summary>Those that a heartbeat carries: what is wrong, and what cannot be told where there is something to do.</summary>
    public static IReadOnlyList<NodeCondition> NotInOrder(IEnumerable<NodeCondition> all) =>
        [
            .. all.Where(condition =>
                    condition.State == ConditionState.Failed
                    || condition is { State: ConditionState.Unknown, Fix: not null }
                )
                .Take(Limits.Conditions),
        ];

    private static NodeCondition Since(NodeCondition condition, IReadOnlyList<NodeCondition> before) =>
        before.FirstOrDefault(condition.IsSame) is { } known ? known : condition;

    private static string? ClipOrNull(string? text) => text is null ? null : Limits.Clip(text);

    private static ConditionState StateOf(CheckState state) =>
        state switch
        {
            CheckState.Ok => ConditionState.Ok,
            CheckState.Failed => ConditionState.Failed,
            CheckState.Skipped => ConditionState.Skipped,
            _ => ConditionState.Unknown,
        };
}
