namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>What a machine is; constant for one run of its agent.</summary>
/// <param name="Incarnation">New at every start of the agent, so that a restart is told from a pause.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeFacts")]
public sealed record NodeFacts(
    [property: Id(0)] NodeId Node,
    [property: Id(1)] Guid Incarnation,
    [property: Id(2)] string HostName,
    [property: Id(3)] string OperatingSystem,
    [property: Id(4)] string Architecture,
    [property: Id(5)] string AgentVersion,
    [property: Id(6)] int ProcessId
);

/// <summary>What kind of hardware a device is.</summary>
public enum DeviceKind
{
    Cpu = 0,
    AppleGpu = 1,
    ExternalGpu = 2,
    LinuxGpu = 3,
}

/// <summary>What a device is; found by its driver without opening it, its memory where need be by its worker.</summary>
/// <param name="Threads">CPU threads lent to it; 0 for a GPU.</param>
/// <param name="MemoryBytes">Memory a model may use there; 0 where only a worker can tell and none has yet.</param>
/// <param name="NoopSlots">No-op shards it runs at once, beside its one shard of a model.</param>
/// <param name="TrainEngine">Engine that trains models there; null where none can.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceFacts")]
public sealed record DeviceFacts(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DeviceKind Kind,
    [property: Id(2)] string Name,
    [property: Id(3)] string Engine,
    [property: Id(4)] int Threads,
    [property: Id(5)] long MemoryBytes,
    [property: Id(6)] int NoopSlots = 0,
    [property: Id(7)] string? TrainEngine = null
);

/// <summary>Whether a device can take work.</summary>
public enum DeviceState
{
    /// <summary>Its worker is being spawned or tested.</summary>
    Starting = 0,
    Ready = 1,

    /// <summary>Its worker failed and is being restarted; the reason says why.</summary>
    Failed = 2,

    /// <summary>It failed too often and rests for minutes, or until a person helps; the reason says what to do.</summary>
    Quarantined = 3,

    /// <summary>It is unplugged, or its agent has said goodbye or is no longer heard.</summary>
    Offline = 4,

    /// <summary>It is there, but not all that a worker needs is; the reason says what to fix. No worker is started.</summary>
    Unusable = 5,

    /// <summary>It is being ejected: it takes no work, and gives back what it has.</summary>
    Draining = 6,

    /// <summary>No process has it open: it is safe to unplug.</summary>
    Ejected = 7,
}

/// <summary>How a device is now; sent with each heartbeat, kept in memory only.</summary>
/// <param name="TokensPerSecond">Measured over live work or the self-test; 0 when nothing was measured yet.</param>
/// <param name="LoadedModels">SHA-256 of each loaded model.</param>
/// <param name="RunningShards">Leases the device holds; the leader renews those it knows and answers the rest as revoked.</param>
/// <param name="ActiveSequences">Sequences in decode now, interactive ones included.</param>
/// <param name="Speeds">Measured by its agent, one of a kind; null or empty before that.</param>
/// <param name="Live">Measured over live work, of the models used last; null or empty before that.</param>
/// <param name="BringUp">What it does before it can compute; null while it does nothing of the kind.</param>
/// <param name="Tuning">Of its worker when it last loaded a model, or searched; null for an engine that tunes nothing.</param>
/// <param name="Bench">The measurement its owner asked for last; null where its agent knows of none.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceStatus")]
public sealed record DeviceStatus(
    [property: Id(0)] DeviceFacts Facts,
    [property: Id(1)] DeviceState State,
    [property: Id(2)] string? Reason,
    [property: Id(3)] int WorkerProcessId,
    [property: Id(4)] double TokensPerSecond,
    [property: Id(5)] long MemoryUsedBytes,
    [property: Id(6)] string[] LoadedModels,
    [property: Id(7)] Scheduling.LeaseKey[] RunningShards,
    [property: Id(8)] int ActiveSequences,
    [property: Id(20)] DeviceSpeed[]? Speeds = null,
    [property: Id(21)] LiveSpeed[]? Live = null,
    [property: Id(9)] BringUpStatus? BringUp = null,
    [property: Id(22)] Tuning.TuningCounters? Tuning = null,
    [property: Id(23)] BenchStatus? Bench = null
);
