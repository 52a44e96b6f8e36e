using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>The public API's words for states, as the checkers know them.</summary>
internal static class Phases
{
    public static JobPhase Of(string? state) =>
        state switch
        {
            "running" => JobPhase.Running,
            "succeeded" => JobPhase.Succeeded,
            "failed" => JobPhase.Failed,
            "cancelled" => JobPhase.Cancelled,
            _ => JobPhase.Waiting,
        };
}
