namespace EgpuFleet.Simulation.Tests.Faults;

/// <summary>What can go wrong in a simulated fleet.</summary>
internal enum FaultKind
{
    /// <summary>Messages are lost.</summary>
    Loss,

    /// <summary>Messages come twice.</summary>
    Duplicates,

    /// <summary>Messages come much later than others sent after them.</summary>
    Strays,

    /// <summary>A machine is cut off from everything.</summary>
    CutOffMachine,

    /// <summary>A silo is cut off from machines and clients, not from the database.</summary>
    CutOffSilo,

    /// <summary>A machine computes and answers slowly.</summary>
    SlowMachine,
    SiloCrash,

    /// <summary>A silo stands still for longer than its leader lease, and goes on.</summary>
    SiloFreeze,
    ActivationMove,

    /// <summary>Transactions fail and are undone.</summary>
    Aborts,

    /// <summary>Transactions are done, and their callers do not learn it.</summary>
    UnknownCommits,

    /// <summary>The ledger's client tries again by itself, so that a write comes late.</summary>
    LateCommits,

    /// <summary>The database does not answer, and comes back.</summary>
    Outage,

    /// <summary>The database takes about as long as a leader lease.</summary>
    SlowDatabase,
    DatabaseClockJump,
    WallClockJump,
    AgentCrash,

    /// <summary>An agent stands still, its lease clock goes on.</summary>
    AgentFreeze,

    /// <summary>A machine sleeps, and its lease clock with it: after the wake it trusts leases that are long lost.</summary>
    AgentSleep,
    AgentLeaves,

    /// <summary>The devices of a machine fail and come back, again and again.</summary>
    NodeFlap,

    /// <summary>Membership says that a machine is dead, rightly or not.</summary>
    DeclaredDead,

    /// <summary>Work fails in its worker, for a while or for good.</summary>
    WorkFails,

    /// <summary>Items are computed again after they were reported.</summary>
    Repeats,

    /// <summary>Devices refuse what is handed to them.</summary>
    Refusals,

    /// <summary>Reports come when their lease runs out.</summary>
    DeadlineReports,
}
