namespace EgpuFleet.NodeAgent;

/// <summary>Every bound of the agent, each with its reason.</summary>
public static partial class Limits
{
    /// <summary>Threads a device may be lent; ggml's own bound.</summary>
    public const int Threads = 512;

    /// <summary>Before the pool has said how long a lease is, and never slower: its fleet view grows stale.</summary>
    public static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(3);

    /// <summary>Of a lease between two heartbeats, so that two lost in a row still renew it.</summary>
    public const double HeartbeatShare = 0.3;

    /// <summary>Of the time between two heartbeats: one that takes longer is worth less than the next.</summary>
    public const double HeartbeatTimeoutShare = 0.85;

    /// <summary>After a heartbeat that nobody took: a new leader knows no device before it has heard of it.</summary>
    public static readonly TimeSpan HeartbeatRetry = TimeSpan.FromMilliseconds(100);

    /// <summary>Least time between two heartbeats: state changes come in bursts.</summary>
    public static readonly TimeSpan HeartbeatSpacing = TimeSpan.FromMilliseconds(100);

    /// <summary>A leaving agent says so, but does not stay for the answer of a silo that is itself going down.</summary>
    public static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(2);

    /// <summary>To the end once states are durable, whatever the cluster does; see <see cref="DrainTimeout"/>.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How often lease deadlines are compared with the clock; a fortieth of the lease.</summary>
    public static readonly TimeSpan LeaseCheckEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Results wait at most this long for company in one report: what a crash can lose.</summary>
    public static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Results of one report: a hundred long texts are still far below a message's 100 MiB.</summary>
    public const int ReportItems = 100;

    /// <summary>Bytes of results in one report, before the next result: far below a message's 100 MiB.</summary>
    public const long ReportBytes = 4L << 20;

    /// <summary>Reports of one call: a few times the no-op slots of a device.</summary>
    public const int ReportBatch = 512;

    /// <summary>Bytes of one call, before the next report.</summary>
    public const long ReportBatchBytes = 8L << 20;

    /// <summary>Calls under way at once: while one waits for the disk, the next may gather in the pool's group commit.</summary>
    public const int ReportCalls = 4;

    /// <summary>One report call; the pool writes it in group commit, milliseconds when healthy.</summary>
    public static readonly TimeSpan ReportTimeout = TimeSpan.FromSeconds(5);

    /// <summary>First wait after a call that failed; doubled for each further one.</summary>
    public static readonly TimeSpan ReportRetryFirst = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait: a pool that is back hears of finished work within a second.</summary>
    public static readonly TimeSpan ReportRetryMost = TimeSpan.FromSeconds(1);

    /// <summary>Memory of unanswered reports past which no new shard is taken: an outage must not fill the machine.</summary>
    public const long KeptReportBytes = 64L << 20;

    /// <summary>Memory of a shard's results that wait for an earlier report of it; then computing waits too.</summary>
    public const long UnreportedBytes = 32L << 20;

    /// <summary>Shards remembered after their end, so that a repeated hand-over starts nothing: seconds at full speed, and under 4 MiB.</summary>
    public const int RememberedShards = 32_768;

    /// <summary>No-op shards a CPU device runs at once, beside its one shard of a model.</summary>
    public const int NoopSlots = 64;

    /// <summary>Leases of one device, those included that only wait for their last report to be answered.</summary>
    public const int HeldLeases = 4096;

    /// <summary>How long after its due time a no-op may answer; a worker that starves longer than this serves nobody.</summary>
    public static readonly TimeSpan NoopPatience = TimeSpan.FromSeconds(10);

    /// <summary>Least difference of the clocks that is a sleep; no machine sleeps and wakes in less, and two clocks are never read at one moment.</summary>
    public static readonly TimeSpan LeastSleep = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for the next token of a running generation: the slowest step, a prompt chunk of a large model on a small CPU, takes seconds.</summary>
    public static readonly TimeSpan TokenTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for the first token: a slot may be a while in coming, and a long prompt takes minutes on a CPU.</summary>
    public static readonly TimeSpan FirstTokenTimeout = TimeSpan.FromMinutes(15);

    /// <summary>How long a device has done nothing before it is measured: nobody is about to need it.</summary>
    public static readonly TimeSpan MeasureAfterIdle = TimeSpan.FromSeconds(20);

    /// <summary>Longest time for one wide shape: models of that width are not for a device that needs more.</summary>
    public static readonly TimeSpan LongestShape = TimeSpan.FromSeconds(60);

    /// <summary>Models whose live speed is told: more than a device can have loaded.</summary>
    public const int LiveSpeeds = 32;

    /// <summary>Slots kept from batch work, so that an interactive request never queues behind it.</summary>
    public const int InteractiveSlots = 2;

    /// <summary>Share of the machine's memory lent to models; the rest is the operating system's, the agent's and the owner's.</summary>
    public const double MemoryShare = 0.6;

    /// <summary>
    /// On a Mac with Apple silicon GPU and processor work in one memory: of what each might take alone, the GPU's models get
    /// this share and the processor's the rest, since the GPU serves them faster.
    /// </summary>
    public const double AppleGpuShare = 0.75;

    /// <summary>Share of a card's memory that models may take; kernels' scratch, the engine's own buffers and a display take the rest.</summary>
    public const double VramShare = 0.9;

    /// <summary>Chunks of one interactive stream between the worker and its reader: a slow reader pauses its own stream only.</summary>
    public const int StreamChunks = 64;

    /// <summary>A worker that does not listen by then is dead.</summary>
    public static readonly TimeSpan WorkerStartTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How often a ready worker is asked whether it is still there.</summary>
    public static readonly TimeSpan WorkerProbeEvery = TimeSpan.FromSeconds(5);

    /// <summary>Long enough for a machine that swaps; a worker that hangs longer is killed and its shard runs elsewhere.</summary>
    public static readonly TimeSpan WorkerProbeTimeout = TimeSpan.FromSeconds(15);

    /// <summary>How long a load waits for the fleet's tuned kernels: an answer takes milliseconds, and a model loads without them.</summary>
    public static readonly TimeSpan TuningTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How often what a search found is offered to the control plane before the search is given up.</summary>
    public const int TuningAttempts = 20;

    /// <summary>Wait between two of them: together they outlast a change of leader.</summary>
    public static readonly TimeSpan TuningRetry = TimeSpan.FromSeconds(1);

    /// <summary>Figures of one fine-tuning: a curve has enough of them.</summary>
    public const int MetricNotes = 500;

    /// <summary>Notes of a run that wait for the gateway: those of a long outage are forgotten, the oldest first.</summary>
    public const int WaitingNotes = 1_000;

    /// <summary>Notes of one request: a few ten kilobytes.</summary>
    public const int NotesPerRequest = 100;

    /// <summary>How long a run that is over waits for its last notes to be taken.</summary>
    public static readonly TimeSpan LastNotesTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long a checkpoint waits for the notes before it: some requests; a state is worth more than its curve.</summary>
    public static readonly TimeSpan NotesBeforeCheckpoint = TimeSpan.FromSeconds(2);

    /// <summary>Share of its time that training may stand still for checkpoints.</summary>
    public const double CheckpointStallShare = 0.035;

    /// <summary>Longest time left that is worth telling.</summary>
    public static readonly TimeSpan LongestLeft = TimeSpan.FromDays(7);

    /// <summary>
    /// Longest opening of a device: a processor takes a second, an external GPU's first one fetches firmware, boots the card
    /// and compiles.
    /// </summary>
    public static readonly TimeSpan OpenTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Longest self-test: a cold CPU takes tens of milliseconds, a first GPU kernel several seconds.</summary>
    public static readonly TimeSpan SelfTestTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Longest step of running generations; the slowest, a part of a prompt of a large model on a small CPU, takes seconds.</summary>
    public static readonly TimeSpan StepTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Longest step that may be set: a day is as good as none.</summary>
    public const int LongestStepSeconds = 86_400;

    /// <summary>Compiling all kernels of a large model for the first time, in a container on a Mac.</summary>
    public static readonly TimeSpan WarmUpTimeout = TimeSpan.FromMinutes(15);

    /// <summary>A 10 GB model from a slow disk.</summary>
    public static readonly TimeSpan LoadTimeout = TimeSpan.FromMinutes(5);

    /// <summary>One pass of a training step, or a load for it: a first one compiles, a processor is slow.</summary>
    public static readonly TimeSpan TrainPassTimeout = TimeSpan.FromMinutes(30);

    /// <summary>Between SIGTERM and SIGKILL.</summary>
    public static readonly TimeSpan WorkerStopTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Deaths within <see cref="DeathWindow"/> that end restarting: something needs a person.</summary>
    public const int DeathsToQuarantine = 5;

    /// <summary>How long a quarantine lasts: a device that cannot be helped costs one start in that time.</summary>
    public static readonly TimeSpan QuarantineFor = TimeSpan.FromMinutes(2);

    /// <summary>Two hangs within this are two in a row: a device that works for an hour in between is not worn out by them.</summary>
    public static readonly TimeSpan HangWindow = TimeSpan.FromMinutes(30);

    /// <summary>How long a device rests that a person has to repair: a try costs a start, and the repair may not be noticed.</summary>
    public static readonly TimeSpan RepairRest = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan DeathWindow = TimeSpan.FromMinutes(1);

    /// <summary>First wait before a restart; doubled for each further death in the window.</summary>
    public static readonly TimeSpan RestartAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>A worker's log starts anew beyond this size.</summary>
    public const long WorkerLogBytes = 1 << 20;

    /// <summary>Boots in a row that ended while a GPU was open, after which it is left alone: one may have been a power cut.</summary>
    public const int CrashesToGuard = 2;

    /// <summary>
    /// How often the drivers are asked what is there: a person who plugs a cable in waits that long, and macOS needs a second
    /// of work to answer.
    /// </summary>
    public static readonly TimeSpan DiscoverEvery = TimeSpan.FromSeconds(30);

    /// <summary>The same where a device that works was not found, or its worker has just died.</summary>
    public static readonly TimeSpan DiscoverSoon = TimeSpan.FromSeconds(1);

    /// <summary>How long a device that is ejected waits for the pool to take its last results: they can be computed again.</summary>
    public static readonly TimeSpan GiveBackTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Longest rehearsal: nobody leaves a device out by mistake.</summary>
    public static readonly TimeSpan LongestRehearsal = TimeSpan.FromMinutes(2);

    /// <summary>How often the machine is examined though nothing happened: it costs some processes, and people notice within minutes.</summary>
    public static readonly TimeSpan ExamineEvery = TimeSpan.FromMinutes(5);

    /// <summary>Least time between two examinations, whoever asks: they start a dozen tools.</summary>
    public static readonly TimeSpan ExamineSpacing = TimeSpan.FromSeconds(5);

    /// <summary>Conditions of one heartbeat; the pool refuses a heartbeat with more than 96.</summary>
    public const int Conditions = 64;

    /// <summary>One text about a device in a heartbeat, foreign ones among them; the pool refuses one with more than 2,000.</summary>
    public const int TextCharacters = 1_000;

    /// <summary>End of a worker's log that is read for the cause of its death: a Python traceback.</summary>
    public const int LastWordsBytes = 16 * 1024;

    /// <summary>Gateways an agent may be told; more control silos than any site runs.</summary>
    public const int Gateways = 16;

    /// <summary>A request to the gateway, body of a model download apart.</summary>
    public static readonly TimeSpan GatewayTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Largest membership answer read: ten thousand rows.</summary>
    public const long MembershipBytes = 8 << 20;

    /// <summary>Wait between two attempts to reach a gateway that is not up yet.</summary>
    public static readonly TimeSpan JoinRetryEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Silence in a model download after which it is tried again.</summary>
    public static readonly TimeSpan DownloadIdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Attempts of one download; each goes on where the last one ended.</summary>
    public const int DownloadAttempts = 5;

    /// <summary>Disk never taken by models: a full system disk harms the owner's whole machine.</summary>
    public const long DiskReserveBytes = 1L << 30;

    /// <summary>Default share of disk for cached models.</summary>
    public const long ModelCacheBytes = 100L << 30;

    /// <summary>A text within <see cref="TextCharacters"/>.</summary>
    public static string Clip(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= TextCharacters ? text : text[..TextCharacters];
    }

    /// <summary>Of a checkpoint's chunks: small enough that a few changed rows of a tensor do not send all of it.</summary>
    public const int CheckpointChunkBytes = 256 << 10;

    /// <summary>Chunks asked for in one question: a few batches, so that the first is on its way before the last is hashed.</summary>
    public const int CheckpointChunksPerQuestion = 248;

    /// <summary>Threads that hash a state: the worker's are worth more.</summary>
    public const int HashingThreads = 2;

    /// <summary>Tries of a save that is told of missing chunks, and of a restore of a checkpoint that is right.</summary>
    public const int CheckpointAttempts = 3;

    /// <summary>Texts of one request that a worker makes vectors of at the same time.</summary>
    public const int EmbeddingsAtOnce = 64;
}
