namespace EgpuFleet.NodeAgent.Workers;

/// <summary>What happens to a worker.</summary>
public abstract record WorkerEvent
{
    private WorkerEvent() { }

    /// <summary>A process, new or left by an earlier agent, said hello.</summary>
    public sealed record Connected : WorkerEvent;

    /// <summary>Probe and self-test passed.</summary>
    public sealed record Tested : WorkerEvent;

    /// <summary>The process could not be started, failed its test, or is gone.</summary>
    /// <param name="At">On the supervisor's monotonic clock.</param>
    /// <param name="Trouble">What its last words mean.</param>
    public sealed record Died(TimeSpan At, string Reason, WorkerTrouble? Trouble = null) : WorkerEvent;

    /// <summary>The device is to be without a worker.</summary>
    public sealed record HeldBack(WorkerHold Hold) : WorkerEvent;

    /// <summary>The device may have a worker again.</summary>
    public sealed record Released : WorkerEvent;

    /// <summary>A person says that what was wrong is mended.</summary>
    public sealed record Cleared : WorkerEvent;

    /// <summary>The wait before a restart is over.</summary>
    public sealed record Waited : WorkerEvent;

    /// <summary>The agent shuts down.</summary>
    public sealed record StopAsked : WorkerEvent;
}
