namespace EgpuFleet.Cli;

/// <summary>Bounds of the command line and its supervisor, each with its reason.</summary>
internal static class Limits
{
    /// <summary>Local agents on one machine; more than a machine has devices helps nobody.</summary>
    public const int AgentsMax = 64;

    /// <summary>A log above this is set aside once (<c>name.log.1</c>), so that two times this is the most on disk.</summary>
    public const long LogBytesMax = 8L << 20;

    /// <summary>Lines of a log quoted when a process did not stay up.</summary>
    public const int LogLinesQuoted = 12;

    /// <summary>One line of a child's output; longer ones are cut, so that a runaway child cannot fill memory.</summary>
    public const int LogLineCharsMax = 16 * 1024;

    /// <summary>Restarts of one process in <see cref="RestartWindow"/> before the fleet gives up.</summary>
    public const int RestartsMax = 5;

    /// <summary>A process that dies faster than this on average does not heal by itself.</summary>
    public static readonly TimeSpan RestartWindow = TimeSpan.FromMinutes(1);

    /// <summary>First wait before a restart; doubled each time.</summary>
    public static readonly TimeSpan RestartDelayFirst = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest wait before a restart: a device should not idle longer for a passing fault.</summary>
    public static readonly TimeSpan RestartDelayMax = TimeSpan.FromSeconds(8);

    /// <summary>A child that has not stopped by then is killed: the silo takes up to 15 s for itself, then stops its database.</summary>
    public static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(30);

    /// <summary>A supervisor stops agents and then the silo, each within <see cref="StopGrace"/>; beyond that it hangs.</summary>
    public static readonly TimeSpan DownTimeout = TimeSpan.FromSeconds(75);

    /// <summary>First start of the silo: initdb, migrations and a cold runtime on a slow disk.</summary>
    public static readonly TimeSpan LiveTimeout = TimeSpan.FromMinutes(3);

    /// <summary>From a live gateway to a ready device on every agent.</summary>
    public static readonly TimeSpan ReadyTimeout = TimeSpan.FromMinutes(3);

    /// <summary>Time between two looks at a process's health while it starts.</summary>
    public static readonly TimeSpan HealthInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Connecting to a local gateway takes milliseconds; a remote one within seconds.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Tries of a call that reads, or that carries an idempotency key.</summary>
    public const int CallAttempts = 4;

    /// <summary>Wait before a bulk submit is sent again: a pool has its next leader by then.</summary>
    public static readonly TimeSpan BulkDelay = TimeSpan.FromSeconds(2);

    /// <summary>Lines of a fine-tuning's story read at once, as the gateway allows at most.</summary>
    public const int EventsRead = 100;

    /// <summary>A page of jobs, as the gateway allows at most.</summary>
    public const int JobsListed = 100;

    /// <summary>Lines of a process's log shown at once.</summary>
    public const int LogLinesShown = 100_000;

    /// <summary>Time between two looks at a log that is followed.</summary>
    public static readonly TimeSpan LogInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Connections of one watch that may break in a row before it gives up.</summary>
    public const int FollowAttempts = 30;

    /// <summary>Wait before a broken watch connects again: a silo restarts within seconds.</summary>
    public static readonly TimeSpan FollowDelay = TimeSpan.FromSeconds(1);

    /// <summary>Time between two progress lines where nobody watches a terminal.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    /// <summary>Prompts from the standard input; the gateway takes 256 MiB.</summary>
    public const long PromptBytesMax = 256L << 20;

    /// <summary>Time between two looks at a device that is about to change.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Time between two looks at a measurement: a shape takes seconds.</summary>
    public static readonly TimeSpan BenchInterval = TimeSpan.FromSeconds(1);

    /// <summary>A device that measures is heard with every heartbeat; beyond this its agent started anew or is gone.</summary>
    public static readonly TimeSpan BenchSilence = TimeSpan.FromSeconds(30);

    /// <summary>An agent waits 5 s for the last results and some for its worker; beyond this something hangs.</summary>
    public static readonly TimeSpan EjectTimeout = TimeSpan.FromSeconds(45);

    /// <summary>After a rehearsal: the worker starts and tests itself, a GPU's first kernels included.</summary>
    public static readonly TimeSpan RecoveryTimeout = TimeSpan.FromSeconds(90);

    /// <summary>After a rehearsal: by then a shard runs elsewhere, or has ended there.</summary>
    public static readonly TimeSpan ResumeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A test project that hangs is ended, and counts as failed.</summary>
    public static readonly TimeSpan TestProjectTimeout = TimeSpan.FromMinutes(15);

    /// <summary>A Python that only tells its version answers at once; on a cold disk, with numpy, it takes seconds.</summary>
    public static readonly TimeSpan PythonTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Time between two lines about an install that goes on: nobody shall wonder.</summary>
    public static readonly TimeSpan InstallProgress = TimeSpan.FromSeconds(3);

    /// <summary>Fetching tinygrad's history over a slow line takes minutes; what takes longer hangs.</summary>
    public static readonly TimeSpan InstallToolTimeout = TimeSpan.FromMinutes(30);

    /// <summary>Of a line that a tool said, what is quoted.</summary>
    public const int InstallLineChars = 300;

    /// <summary>Text of a failure that is explained; the failure table reads less of it.</summary>
    public const int ExplainedCharacters = 4 << 20;

    /// <summary>Longest check of the hardware that may be asked for; it is to be run while somebody waits.</summary>
    public const double CheckMinutesMax = 120;

    /// <summary>A step that has less time than this left is not begun: its worker alone takes a second to start.</summary>
    public static readonly TimeSpan EvidenceStepLeast = TimeSpan.FromSeconds(3);

    /// <summary>Time between two lines about a step that goes on.</summary>
    public static readonly TimeSpan EvidenceProgress = TimeSpan.FromSeconds(10);

    /// <summary>How long a worker outlives a check that was killed itself.</summary>
    public static readonly TimeSpan EvidenceKeepFor = TimeSpan.FromSeconds(3);

    /// <summary>A worker that has not ended by then, its device closed, is killed.</summary>
    public static readonly TimeSpan EvidenceStopGrace = TimeSpan.FromSeconds(8);

    /// <summary>Starts after a kill before a device counts as not coming back.</summary>
    public const int EvidenceStarts = 4;

    /// <summary>What the processor needs for the texts that a GPU is compared with; what takes longer needs a smaller model.</summary>
    public static readonly TimeSpan ReferenceTimeout = TimeSpan.FromSeconds(60);

    /// <summary>One expression on one text of a report; they are linear, so that only a stalled machine gets there.</summary>
    public const int RedactionMilliseconds = 2000;
}
