using System.Text.Json.Serialization;

namespace EgpuFleet.Api;

/// <summary>A machine. State: ready, silent, offline.</summary>
/// <param name="Conditions">What is not in order there, first cause first.</param>
public sealed record NodeInfo(
    string Id,
    string State,
    string? HostName,
    string? OperatingSystem,
    string? Architecture,
    string? AgentVersion,
    int? ProcessId,
    DateTimeOffset? LastHeard,
    IReadOnlyList<string> Devices,
    IReadOnlyList<ConditionInfo> Conditions
);

/// <summary>One thing that is known about a node's health. State: ok, failed, skipped, unknown.</summary>
/// <param name="Id">Of the doctor's check, or of the failure that a worker died of.</param>
/// <param name="Seen">What was seen.</param>
/// <param name="Cause">Why it failed.</param>
/// <param name="Fix">An exact command, or the way through System Settings.</param>
/// <param name="Device"><c>node/device</c>, where it is about one.</param>
public sealed record ConditionInfo(
    string Id,
    string State,
    string Seen,
    string? Cause,
    string? Fix,
    string? Device,
    DateTimeOffset Since
);

/// <summary>A node as its doctor has just found it.</summary>
/// <param name="Platform">macos or linux.</param>
/// <param name="IsWell">Whether nothing failed.</param>
/// <param name="Checks">All of them, in order of cause.</param>
public sealed record DoctorInfo(
    string Node,
    string Platform,
    bool IsWell,
    IReadOnlyList<ConditionInfo> Checks,
    DateTimeOffset ExaminedAt
);

/// <summary>A GPU or CPU of a node. State: starting, ready, failed, quarantined, offline, unusable, draining, ejected. Kind: cpu, apple_gpu, external_gpu, linux_gpu.</summary>
/// <param name="Id"><c>node/device</c>.</param>
/// <param name="Reason">Why it is not ready.</param>
/// <param name="Conditions">Those of its node that are about it.</param>
/// <param name="TokensPerSecond">Measured; 0 when nothing was measured yet.</param>
/// <param name="BringUp">What it does before it can compute; null while it does nothing of the kind.</param>
/// <param name="Tuning">Null for an engine that tunes nothing, and before its first model.</param>
/// <param name="LoadedModels">Names of loaded models (a hash where the name is gone).</param>
/// <param name="Speeds">Measured while it was idle; empty before that.</param>
/// <param name="Bench">The measurement that was asked for last; null where its agent knows of none.</param>
/// <param name="TrainEngine">Engine it fine-tunes models with; null where it cannot.</param>
public sealed record DeviceInfo(
    string Id,
    string Node,
    string Kind,
    string Name,
    string Engine,
    string State,
    string? Reason,
    int Threads,
    long MemoryBytes,
    long MemoryUsedBytes,
    double TokensPerSecond,
    IReadOnlyList<string> LoadedModels,
    IReadOnlyList<RunningShard> RunningShards,
    int ActiveSequences,
    int? WorkerProcessId,
    IReadOnlyList<ConditionInfo> Conditions,
    IReadOnlyList<SpeedInfo>? Speeds = null,
    BringUpInfo? BringUp = null,
    TuningCountersInfo? Tuning = null,
    BenchInfo? Bench = null,
    string? TrainEngine = null
);

/// <summary>A measurement that was asked for. State: running, done, interrupted.</summary>
/// <param name="StartedAt">By the clock of the node; tells one measurement from the next.</param>
/// <param name="Now">What is being measured; at the end, why it was not all.</param>
/// <param name="Total">Shapes in all, those included that are skipped in the end.</param>
/// <param name="Skipped">What was not measured, with the reason.</param>
public sealed record BenchInfo(
    string State,
    DateTimeOffset StartedAt,
    string? Now,
    int Measured,
    int Total,
    IReadOnlyList<BenchShape> Shapes,
    IReadOnlyList<string> Skipped
);

/// <summary>A stack of transformer blocks with weights of one kind (q4, q8 or f16), timed. Speeds are tokens a second.</summary>
/// <param name="Hidden">Width of the hidden state.</param>
/// <param name="Prefill">Of a prompt of 256 tokens.</param>
/// <param name="Decode">Of one sequence.</param>
/// <param name="DecodeOfEight">Of eight sequences together.</param>
public sealed record BenchShape(
    string Weights,
    int Hidden,
    int Blocks,
    double Prefill,
    double Decode,
    double DecodeOfEight
);

/// <summary>What a device's worker has made of tuned kernels since its start, as it was last asked.</summary>
/// <param name="TunedKernels">Compiled with what was found somewhere; once for each captured step that runs them.</param>
/// <param name="Misses">Compiled without, since nothing is known of them.</param>
/// <param name="Rejected">Entries that did not fit their kernel.</param>
/// <param name="KernelsSearched">By this worker itself.</param>
public sealed record TuningCountersInfo(long TunedKernels, long Misses, long Rejected, long KernelsSearched);

/// <summary>What a device does before it can compute, and how far it is.</summary>
/// <param name="Phase">In words: <c>opening the device</c>, <c>loading tiny-fleet</c>.</param>
/// <param name="DoneBytes">Null where they are not counted.</param>
/// <param name="TotalBytes">Null where they are not counted.</param>
/// <param name="LeftSeconds">About how long it still takes; null where nothing tells.</param>
public sealed record BringUpInfo(
    string Phase,
    double ElapsedSeconds,
    long? DoneBytes,
    long? TotalBytes,
    double? LeftSeconds
);

/// <summary>What was measured of a device for weights of one kind: q4, q8 or f16.</summary>
/// <param name="BytesPerSecond">Weights read in decode; null where the cost of a byte was too small to tell.</param>
/// <param name="FlopsPerSecond">Multiplications and additions of a prompt; null where their cost was too small to tell.</param>
/// <param name="BlockSeconds">Of each transformer block of a decoded token, whatever its size.</param>
/// <param name="BatchGain">Tokens of eight sequences decoded together over those of one.</param>
public sealed record SpeedInfo(
    string Weights,
    double? BytesPerSecond,
    double? FlopsPerSecond,
    double BlockSeconds,
    double BatchGain
);

/// <summary>Body of <c>POST /api/v1/devices/{node}/{device}/rehearse</c>.</summary>
/// <param name="Seconds">How long the device is gone, 1 to 120; the device is back by itself.</param>
/// <param name="Force">Also where no other device of the fleet is ready.</param>
public sealed record RehearsalRequest(double Seconds = 5, bool Force = false);

/// <summary>A shard under lease on a device.</summary>
public sealed record RunningShard(string Job, int Shard, int Epoch);

/// <summary>A registered model.</summary>
/// <param name="Base">Name of the model it is an adapter of; null for one of its own.</param>
public sealed record ModelInfo(
    string Name,
    string Sha256,
    long SizeBytes,
    string Architecture,
    string Quantization,
    long ParameterCount,
    int ContextLength,
    bool HasChatTemplate,
    DateTimeOffset CreatedAt,
    string? Base = null
);

/// <summary>A page of a list; pass <c>last_id</c> as <c>after</c> to read on.</summary>
public sealed record Page<T>(string Object, IReadOnlyList<T> Data, string? FirstId, string? LastId, bool HasMore);

/// <summary>Answer of <c>/health/ready</c>: 200 when every check is ok, else 503.</summary>
public sealed record ReadyInfo(string Status, IReadOnlyList<ReadyCheck> Checks);

public sealed record ReadyCheck(string Name, bool Ok, string? Detail);

/// <summary>Problem details (RFC 9457) as the native routes answer errors.</summary>
/// <param name="State">Of a 409: the job's state, which does not allow what was asked.</param>
public sealed record ProblemInfo(
    string? Type,
    string? Title,
    int? Status,
    string? Detail,
    IReadOnlyDictionary<string, string[]>? Errors,
    [property: JsonPropertyName("traceId")] string? TraceId,
    string? State = null
);
