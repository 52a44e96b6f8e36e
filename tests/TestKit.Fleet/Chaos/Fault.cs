namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>What can go wrong.</summary>
public enum FaultKind
{
    /// <summary>SIGKILL of the silo that leads.</summary>
    LeaderKilled = 0,

    /// <summary>SIGKILL of any silo.</summary>
    SiloKilled = 1,

    /// <summary>SIGSTOP of the silo that leads, past two leases, then SIGCONT: it must find itself fenced.</summary>
    LeaderFrozen = 2,

    /// <summary>SIGKILL of an agent; its workers live on until it is back.</summary>
    AgentKilled = 3,

    /// <summary>SIGSTOP of an agent past two leases, then SIGCONT, as a Mac that sleeps.</summary>
    AgentFrozen = 4,

    /// <summary>SIGKILL of a worker in the middle of its work.</summary>
    WorkerKilled = 5,

    /// <summary>Immediate stop of Postgres, and its restart.</summary>
    PostgresCrashed = 6,

    /// <summary>Every connection to Postgres is cut.</summary>
    ConnectionsCut = 7,
}

/// <summary>One planned fault.</summary>
/// <param name="At">From the start of the run.</param>
/// <param name="Target">Which process, of as many as there are.</param>
/// <param name="Outage">How long what was hit stays down or frozen.</param>
public sealed record Fault(TimeSpan At, FaultKind Kind, int Target, TimeSpan Outage);

/// <summary>A fault as it was done.</summary>
/// <param name="At">When it began.</param>
/// <param name="Node">The node that was hit; null: none.</param>
public sealed record FaultDone(FaultKind Kind, DateTimeOffset At, string? Node);
