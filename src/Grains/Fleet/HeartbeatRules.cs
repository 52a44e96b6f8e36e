using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Grains.Fleet;

/// <summary>What a heartbeat must be like before any of it is believed: it comes from another machine. Pure.</summary>
internal static class HeartbeatRules
{
    /// <summary>In one sentence; null where nothing is wrong.</summary>
    public static string? WhatIsWrong(NodeHeartbeat heartbeat)
    {
        var node = heartbeat.Facts.Node;
        if (heartbeat.Devices.Count > Limits.MaxDevicesPerNode)
            return $"A node has at most {Limits.MaxDevicesPerNode} devices.";
        if (heartbeat.Devices.Any(device => device.Facts.Device.Node != node))
            return $"Node '{node}' spoke of another node's device.";
        if (heartbeat.Devices.DistinctBy(device => device.Facts.Device).Count() < heartbeat.Devices.Count)
            return $"Node '{node}' spoke of a device twice.";
        if (heartbeat.Devices.Any(device => IsTooLong(device.Reason) || IsTooLong(device.BringUp?.Phase)))
            return $"A text about a device has at most {Limits.MaxHeartbeatText} characters.";
        if (heartbeat.Devices.Any(device => device.Bench is { } bench && IsTooMuch(bench)))
            return $"A measurement has at most {Limits.MaxBenchShapes} shapes.";
        var conditions = heartbeat.Conditions ?? [];
        if (conditions.Count > Limits.MaxConditionsPerNode)
            return $"A node has at most {Limits.MaxConditionsPerNode} conditions.";
        return conditions
            .Select(condition => WhatIsWrong(heartbeat, condition))
            .FirstOrDefault(wrong => wrong is not null);
    }

    private static string? WhatIsWrong(NodeHeartbeat heartbeat, NodeCondition condition)
    {
        if (condition is not { Id.Length: > 0, Seen: not null } || !Enum.IsDefined(condition.State))
            return "A condition has an id, a state and what was seen.";
        string?[] texts = [condition.Id, condition.Seen, condition.Cause, condition.Fix];
        if (texts.Any(IsTooLong))
            return $"A text of a condition has at most {Limits.MaxHeartbeatText} characters.";
        return condition.Device is { } name && heartbeat.Devices.All(device => device.Facts.Device.Name != name)
            ? $"A condition speaks of a device '{name}' that node '{heartbeat.Facts.Node}' does not name."
            : null;
    }

    private static bool IsTooMuch(BenchStatus bench) =>
        bench.Samples is not { Length: <= Limits.MaxBenchShapes }
        || bench.Skipped is not { Length: <= Limits.MaxBenchShapes }
        || IsTooLong(bench.Now)
        || bench.Skipped.Any(IsTooLong);

    private static bool IsTooLong(string? text) => text?.Length > Limits.MaxHeartbeatText;
}
