namespace EgpuFleet.TestKit.Checkers;

/// <summary>As much of a job's state as the checkers need; their own type, so that they share nothing with what they check.</summary>
public enum JobPhase
{
    Waiting = 0,
    Running = 1,
    Succeeded = 2,
    Failed = 3,
    Cancelled = 4,
}

/// <summary>Questions about a phase.</summary>
public static class JobPhases
{
    public static bool IsTerminal(this JobPhase phase) => phase >= JobPhase.Succeeded;
}
