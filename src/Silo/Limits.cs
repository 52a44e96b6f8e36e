namespace EgpuFleet.Silo;

/// <summary>Bounds of the control process, each with its reason: the database first, then the gateway.</summary>
public static partial class Limits
{
    /// <summary>Oldest server accepted: older ones no longer get security fixes.</summary>
    public const int PostgresMajorMin = 14;

    /// <summary>Server connections: ledger writer, pooled readers and Orleans of a few silos, at ~10 MB each.</summary>
    public const int PostgresConnectionsMax = 80;

    /// <summary>Shared buffers: enough for the hot rows of a small fleet, little enough for a Mac that also holds a model.</summary>
    public const int PostgresSharedBuffersMegabytes = 64;

    /// <summary>Ceiling of retained WAL: bounds the disk of an idle fleet and the replay time after a crash.</summary>
    public const int PostgresWalMegabytesMax = 512;

    /// <summary>A server log above this is set aside once at the next start, so that the disk stays bounded.</summary>
    public const long PostgresLogBytesMax = 8L << 20;

    /// <summary>Log lines quoted in a start error: enough to hold one startup attempt.</summary>
    public const int PostgresLogLinesInError = 12;

    /// <summary>Captured output of one server tool; more is cut from the front.</summary>
    public const int PostgresToolOutputCharsMax = 8192;

    /// <summary>initdb takes about a second; a slow disk with a cold cache may take a minute.</summary>
    public static readonly TimeSpan PostgresInitializeTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Start includes WAL replay after a crash, bounded by <see cref="PostgresWalMegabytesMax"/>.</summary>
    public static readonly TimeSpan PostgresStartTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Fast stop disconnects clients and writes one checkpoint; past this an immediate stop follows.</summary>
    public static readonly TimeSpan PostgresStopTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A version query or an account lookup answers at once; past this the tool hangs.</summary>
    public static readonly TimeSpan PostgresToolTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Backends notice a dead postmaster within a second; past this they are ended.</summary>
    public static readonly TimeSpan PostgresOrphanGrace = TimeSpan.FromSeconds(3);

    /// <summary>Starts tried when the chosen port is taken in between or orphans still hold shared memory.</summary>
    public const int PostgresStartAttemptsMax = 5;

    /// <summary>A migration waits this long for another silo that is migrating the same database.</summary>
    public static readonly TimeSpan MigrationTimeout = TimeSpan.FromMinutes(5);

    // The ledger.

    /// <summary>Operations in one transaction: past this a flush is already well shared and latency only grows.</summary>
    public const int LedgerTurnOperations = 2000;

    /// <summary>Result text in one transaction: bounds the memory of a turn (at 2 bytes a character).</summary>
    public const long LedgerTurnChars = 8L << 20;

    /// <summary>Submissions waiting for the writer; beyond it callers wait, which slows them to the disk's pace.</summary>
    public const int LedgerQueueLength = 4096;

    /// <summary>
    /// How long after a turn the next one waits for callers that were just answered: about as long as a turn takes, so that
    /// it can at most double, while a turn for one caller with fifteen behind it nearly halves what is done in a second.
    /// </summary>
    public static readonly TimeSpan LedgerReturnWait = TimeSpan.FromMilliseconds(1);

    /// <summary>One in so many callers may stay away without being waited for.</summary>
    public const int LedgerReturnSlack = 8;

    /// <summary>Callers named in the trace of one transaction: a trace back end cuts longer lists.</summary>
    public const int LedgerTraceLinks = 64;

    /// <summary>Reasons and keys in text columns; longer ones are cut, since no person reads on.</summary>
    public const int LedgerTextCharsMax = 4096;

    /// <summary>How long a lost connection is retried before the caller is told: beyond a server restart (0.4 s).</summary>
    public static readonly TimeSpan LedgerRetryWindow = TimeSpan.FromSeconds(5);

    /// <summary>Connections of the writer and of short reads.</summary>
    public const int LedgerConnectionsMax = 12;

    /// <summary>
    /// Connections of uploads (at most <see cref="ConcurrentStagings"/>) and result streams, apart, so that slow clients
    /// cannot starve the scheduler.
    /// </summary>
    public const int LedgerStreamConnectionsMax = 2 * ConcurrentStagings;

    /// <summary>One statement of the ledger; the longest are a staging flush and a sweep.</summary>
    public const int LedgerCommandTimeoutSeconds = 30;

    /// <summary>Rows of one page of jobs or events, whatever the caller asks for.</summary>
    public const int LedgerPageRowsMax = 1000;

    /// <summary>Unused inputs removed by one sweep; the next sweep takes the rest.</summary>
    public const int LedgerSweepInputsMax = 100;

    /// <summary>Jobs that one transaction of retention moves or removes: a few ten milliseconds of work.</summary>
    public const int RetentionBatchJobs = 500;

    /// <summary>Items of the jobs in one transaction of retention, unless a single job has more.</summary>
    public const int RetentionBatchItems = 20_000;

    /// <summary>Pauses between passes of retention: a minute more or less of a day or a week.</summary>
    public static readonly TimeSpan RetentionEvery = TimeSpan.FromSeconds(30);

    /// <summary>Longest time anything finished is kept: ten years.</summary>
    public const int RetentionHoursMax = 24 * 366 * 10;

    // The gateway.

    /// <summary>One request body to a job endpoint: 100,000 prompts of 2.6 KB.</summary>
    public const long JobBodyBytes = 256L << 20;

    /// <summary>
    /// Where the server itself hangs up. Above <see cref="JobBodyBytes"/>, so that a client that is a little too large is
    /// read to its end and sees the 413 instead of a reset connection.
    /// </summary>
    public const long DrainedBodyBytes = 2 * JobBodyBytes;

    /// <summary>A job given as one JSON value is held in memory while it is read; larger inputs come as a form part.</summary>
    public const long JobJsonBytes = 32L << 20;

    /// <summary>The form part that describes a job, without its prompts.</summary>
    public const int JobPartBytes = 64 << 10;

    /// <summary>One line of an input: far above any context this build can serve.</summary>
    public const int LineBytes = 1 << 20;

    /// <summary>Items of one job; the pool accepts no more, so more is refused before it is stored.</summary>
    public const int ItemsPerJob = Grains.Limits.MaxItemsPerJob;

    /// <summary>Items that are stored with their job in one transaction, as one value of its row; more are staged before.</summary>
    public const int InlineItems = 64;

    /// <summary>Bytes of such items: a row much larger would not be read back in one piece.</summary>
    public const int InlineBytes = 64 << 10;

    /// <summary>Payload of a no-op: an envelope of work, not the work's data.</summary>
    public const int PayloadBytes = 64 << 10;

    /// <summary>How long a no-op may take: an hour is longer than any rehearsal.</summary>
    public const int NoopMilliseconds = 3_600_000;

    /// <summary>Priorities go from minus this to this: more steps than anybody can tell apart.</summary>
    public const int PriorityBound = 100;

    /// <summary>Jobs that one job may wait for: each is looked up when it is submitted and when one of them ends.</summary>
    public const int DependenciesPerJob = 100;

    /// <summary>Tries of one shard: more would only hide that it fails.</summary>
    public const int Attempts = 100;

    /// <summary>Wait between two tries: an hour outlasts a reboot of anything.</summary>
    public const int BackoffSeconds = 3600;

    /// <summary>The longest run time that can be asked for: a year.</summary>
    public const int RunSeconds = 365 * 24 * 3600;

    /// <summary>Lines of one bulk submit: bounds what is kept for a client that does not read its answer.</summary>
    public const int BulkLines = 100_000;

    /// <summary>One line of it: a job with its items, which are stored with it.</summary>
    public const int BulkLineBytes = 64 << 10;

    /// <summary>Lines that are made durable together: well above what a transaction needs to be shared well.</summary>
    public const int BulkChunkLines = 500;

    /// <summary>Bytes of them: 1-4 MiB is a good message between silos.</summary>
    public const long BulkChunkBytes = 1 << 20;

    /// <summary>Chunks asked for and not yet settled: the ledger stores one while the next are on their way.</summary>
    public const int BulkChunksInFlight = 4;

    /// <summary>Bulk submits at once; each may hold some tens of megabytes at worst.</summary>
    public const int ConcurrentBulks = 32;

    /// <summary>A line's name for itself.</summary>
    public const int RefLength = 128;

    /// <summary>How long a bulk submit under a key goes on asking a pool that does not answer: a change of leader and more.</summary>
    public static readonly TimeSpan BulkPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long one chunk may take: that of the slowest disk, less than a client's patience.</summary>
    public static readonly TimeSpan BulkWait = TimeSpan.FromSeconds(15);

    /// <summary>How often it asks again: a fraction of a change of leader.</summary>
    public static readonly TimeSpan BulkRepeatInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a submit waits for the scheduler before its caller is told to come back: one leader change fits in.</summary>
    public static readonly TimeSpan SubmitWait = TimeSpan.FromSeconds(5);

    /// <summary>How long a read waits for the scheduler's reasons, without which it is answered too.</summary>
    public static readonly TimeSpan ReasonWait = TimeSpan.FromSeconds(2);

    /// <summary>Jobs in the way that are named at once: more would not be read.</summary>
    public const int ReasonsShown = 10;

    /// <summary>A submitter's own name for an item: holds a URL or a hash.</summary>
    public const int CustomIdLength = 256;

    /// <summary>Messages of one chat: above any conversation that fits a context.</summary>
    public const int ChatMessages = 4096;

    /// <summary>An idempotency key: room for two UUIDs and a prefix.</summary>
    public const int IdempotencyKeyLength = 255;

    /// <summary>Inputs stored at once, each holding one database connection; more submitters wait.</summary>
    public const int ConcurrentStagings = 8;

    /// <summary>Items of a page, as documented.</summary>
    public const int PageItems = 100;

    /// <summary>Items of a page when the caller names no number.</summary>
    public const int PageItemsDefault = 20;

    /// <summary>Job events read at once while a log is streamed.</summary>
    public const int EventsPerRead = 500;

    /// <summary>Connections at once: far above a small fleet's users, far below what would starve the process.</summary>
    public const int Connections = 2048;

    /// <summary>Body of a small internal request: a membership row is a few hundred bytes.</summary>
    public const long InternalBodyBytes = 256 << 10;

    /// <summary>Depth of JSON: the deepest request has four levels.</summary>
    public const int JsonDepth = 16;

    /// <summary>One model file: the largest published ones have about 1 TB.</summary>
    public const long ModelBytes = 2L << 40;

    /// <summary>Name of a model.</summary>
    public const int ModelNameLength = 128;

    /// <summary>Model files received at once: more would only share one disk.</summary>
    public const int ConcurrentUploads = 4;

    /// <summary>Left free on the disk of the models when a file is received: the database lives on it too.</summary>
    public const long DiskReserveBytes = 256L << 20;

    /// <summary>Nodes remembered over a restart: far above the largest pool of this build.</summary>
    public const int RememberedCredentials = 1024;

    /// <summary>How long a node credential is remembered: the longest that a revoked node may still call.</summary>
    public static readonly TimeSpan CredentialMemory = TimeSpan.FromSeconds(30);

    /// <summary>Silence on a stream before a comment is sent: proxies close at 60 s, design/7 asks for at most 15 s.</summary>
    public static readonly TimeSpan StreamSilence = TimeSpan.FromSeconds(10);

    /// <summary>How often a watched job's item counts are looked at: one row read per watcher.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    /// <summary>One readiness check: a probe must answer while its caller still listens.</summary>
    public static readonly TimeSpan ReadyCheckTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Rows of silos that died this long ago are removed: long enough to be read after an incident.</summary>
    public static readonly TimeSpan DeadSiloMemory = TimeSpan.FromMinutes(10);

    /// <summary>A shorter lease would be lost to an ordinary pause of a busy machine.</summary>
    public const double LeaseSecondsMin = 1;

    /// <summary>A silent node's work waits that long; nobody waits longer.</summary>
    public const double LeaseSecondsMax = 600;

    /// <summary>Orphaned input only costs disk, so seldom is enough.</summary>
    public static readonly TimeSpan StagedInputSweepEvery = TimeSpan.FromMinutes(10);

    /// <summary>Far longer than the slowest upload takes between staging and submitting.</summary>
    public static readonly TimeSpan StagedInputMemory = TimeSpan.FromHours(1);

    /// <summary>A stop that takes longer is cut off: the database survives that, and a supervisor waits for it.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(15);

    /// <summary>What a client is told to wait after a 503.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Longest rehearsal of a pulled cable; an agent ends a longer one by itself.</summary>
    public const double RehearsalSeconds = 120;
}
