namespace EgpuFleet.Grains;

/// <summary>Every bound of the control plane, each with its reason. Times can be set for tests by <see cref="Scheduling.SchedulingOptions"/>.</summary>
public static class Limits
{
    /// <summary>How long a device may go on without a renewal: three heartbeats may be lost, and a person does not wait longer for a sleeping Mac.</summary>
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(10);

    /// <summary>A node not heard for so long gets no new work: two heartbeats and a delay.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(7);

    /// <summary>A lease its device stopped naming is lost after this: longer than one heartbeat, so that a report on its way is not overtaken.</summary>
    public static readonly TimeSpan UnlistedGrace = TimeSpan.FromSeconds(4);

    /// <summary>How long a dead leader keeps others out: a pool is without a scheduler at most that long.</summary>
    public static readonly TimeSpan LeaderLease = TimeSpan.FromSeconds(2);

    /// <summary>A quarter of the leader lease, so that three renewals may be late.</summary>
    public static readonly TimeSpan LeaderRenew = TimeSpan.FromMilliseconds(500);

    /// <summary>How often deadlines are looked at: fine enough that a lost lease is seen within a twentieth of its life.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    /// <summary>A device that refused or failed a shard is left alone for this long, so that a broken one cannot spin the loop.</summary>
    public static readonly TimeSpan DeviceHoldBack = TimeSpan.FromSeconds(1);

    /// <summary>Handing a shard over takes milliseconds; after this the node counts as not there.</summary>
    public static readonly TimeSpan DispatchTimeout = TimeSpan.FromSeconds(8);

    /// <summary>How long a caller waits for new events before it looks by itself: below every proxy's idle limit.</summary>
    public static readonly TimeSpan EventWait = TimeSpan.FromSeconds(10);

    /// <summary>How often a scheduler that does not lead asks for the lease: one row, and only while a pool changes its leader.</summary>
    public static readonly TimeSpan LeaderPoll = TimeSpan.FromMilliseconds(100);

    /// <summary>How often each control silo makes sure that the pool has a scheduler: a part of the time in which a dead silo is noticed.</summary>
    public static readonly TimeSpan PoolKeepAlive = TimeSpan.FromMilliseconds(500);

    /// <summary>The same while the pool does not answer: a dead silo's grain is placed anew as soon as its death is known.</summary>
    public static readonly TimeSpan PoolCallBack = TimeSpan.FromMilliseconds(50);

    /// <summary>Smaller shards would spend more on dispatch and commit than on work.</summary>
    public const int MinShardItems = 4;

    /// <summary>Bounds what is lost with a device, and the leader's memory per running shard.</summary>
    public const int MaxShardItems = 512;

    /// <summary>Prompt bytes of one assignment: Orleans drops the connection at 100 MiB, and 1-4 MiB is a good message.</summary>
    public const int MaxShardBytes = 4 * 1024 * 1024;

    /// <summary>The batch limit of the OpenAI API.</summary>
    public const int MaxItemsPerJob = 50_000;

    /// <summary>
    /// Jobs not terminal at once. One that waits takes about 150 bytes in the leader, so that the most take 300 MB and a
    /// new leader reads them in seconds.
    /// </summary>
    public const int MaxActiveJobs = 2_000_000;

    /// <summary>Jobs started and not terminal: each takes a kilobyte or two. Beyond it only those go on that have started.</summary>
    public const int MaxStartedJobs = 100_000;

    /// <summary>Jobs a plan looks at beyond its free slots, of those that may have to wait for one certain device.</summary>
    public const int ReturnedAhead = 256;

    /// <summary>Dependencies whose end may be waited for by one job; the commit that submits it looks each of them up.</summary>
    public const int MaxDependencies = 1_000;

    /// <summary>No-op slots a device may offer: bounds a plan and a hand-over, whatever a heartbeat says.</summary>
    public const int MaxNoopSlots = 1_024;

    /// <summary>Specs and items of small jobs kept in the leader until they start: enough for tens of thousands.</summary>
    public const long WorkCacheBytes = 64 * 1024 * 1024;

    /// <summary>A larger job is read from the ledger when it starts: one read more matters little to it.</summary>
    public const int CachedJobBytes = 64 * 1024;

    /// <summary>Shards read from the ledger in one query; bounds what one answer holds.</summary>
    public const int ShardsPerRead = 256;

    /// <summary>What each of many no-op shards may have of one read at least; a lone one may have as much as any shard.</summary>
    public const int MaxNoopShardBytes = 64 * 1024;

    /// <summary>Item bytes of one read for several shards: bounds memory, whatever the items are.</summary>
    public const int ReadBytes = 16 * 1024 * 1024;

    /// <summary>Item bytes of one hand-over call for several shards: a good message has 1-4 MiB.</summary>
    public const int HandOverBytes = 2 * 1024 * 1024;

    /// <summary>Shards in one hand-over call, beside the bound of its bytes.</summary>
    public const int ShardsPerHandOver = 256;

    /// <summary>Submits of one commit: large enough to share its cost, small enough to come back soon.</summary>
    public const int SubmitsPerCommit = 512;

    /// <summary>Jobs told in one commit that a job they waited for has ended.</summary>
    public const int DependentsPerCommit = 512;

    /// <summary>Times of jobs that have ended, kept until they come or are too many: fewer than it pays to look for.</summary>
    public const int DueTimesKept = 100_000;

    /// <summary>An end by time that the ledger found too early is asked for again after this.</summary>
    public static readonly TimeSpan ExpiryRetry = TimeSpan.FromSeconds(1);

    /// <summary>How often a model that the registry did not know is looked up again.</summary>
    public static readonly TimeSpan ModelRetry = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long leases are prolonged while the ledger does not answer: a database that is away longer needs a person, and
    /// what ran meanwhile is lost work at worst.
    /// </summary>
    public static readonly TimeSpan OutageGrace = TimeSpan.FromMinutes(10);

    /// <summary>Inputs waiting for the loop; beyond it callers are told to come back rather than queued without bound.</summary>
    public const int MaxPendingInputs = 20_000;

    /// <summary>Commits handed to the ledger and not yet back; beyond it the loop waits for the oldest.</summary>
    public const int MaxCommitsInFlight = 4_096;

    /// <summary>Callers waiting for events at once; each holds a timer and a few hundred bytes.</summary>
    public const int MaxEventWaiters = 10_000;

    /// <summary>Finished jobs whose last event is remembered, for callers that ask just after the end.</summary>
    public const int RememberedJobs = 10_000;

    /// <summary>Nodes of one pool; a pool beyond it is to be split.</summary>
    public const int MaxNodes = 10_000;

    /// <summary>Devices one node may report; a Mac has three.</summary>
    public const int MaxDevicesPerNode = 64;

    /// <summary>Shapes of one measurement: five widths of three kinds of weights, twice that for what is to come.</summary>
    public const int MaxBenchShapes = 30;

    /// <summary>Conditions one node may report: the doctor has some twenty checks, and each device may add its own.</summary>
    public const int MaxConditionsPerNode = 96;

    /// <summary>Characters of one text in a heartbeat, such as a fix; with the conditions' number this bounds a node's memory here.</summary>
    public const int MaxHeartbeatText = 2_000;

    /// <summary>Kinds of weights a device's speed is measured for.</summary>
    public const int SpeedsPerDevice = 8;

    /// <summary>Models a device tells the live speed of: more than it can have loaded.</summary>
    public const int LiveSpeedsPerDevice = 32;

    /// <summary>Registered models: one grain state holds them all.</summary>
    public const int MaxModels = 1_000;

    /// <summary>Tuned kernels of one class of devices: some dozen models of about 80 kernels; one message holds them.</summary>
    public const int TunedKernels = 4_096;

    /// <summary>Classes of devices with tuned kernels, over all versions of an engine: a fleet has a handful.</summary>
    public const int TuningClasses = 256;

    /// <summary>Kernels of one report; a search looks at no more.</summary>
    public const int ReportedKernels = 128;

    /// <summary>A worker names its class with at most so many.</summary>
    public const int TuningClassCharacters = 120;

    /// <summary>A commit or a version number.</summary>
    public const int EngineVersionCharacters = 64;

    /// <summary>The longest line of optimisations that a search writes has about 120.</summary>
    public const int OptsCharacters = 256;

    /// <summary>Devices that train one model together: beyond it a round costs the silo more than it saves.</summary>
    public const int MembersPerRun = 64;

    /// <summary>Notes kept of one training run: a figure for each of the most steps that a curve can show, and some words.</summary>
    public const int NotesPerRun = 100_000;

    /// <summary>Notes in one message of a device.</summary>
    public const int NotesPerMessage = 500;

    /// <summary>One line for people, with a name and a number or two.</summary>
    public const int NoteCharacters = 1_000;

    /// <summary>Figures of one note.</summary>
    public const int MetricsPerNote = 32;

    /// <summary>Name of a figure.</summary>
    public const int MetricNameCharacters = 64;
}
