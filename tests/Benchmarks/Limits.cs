namespace EgpuFleet.Benchmarks;

/// <summary>Bounds of the benchmarks, each with its reason.</summary>
internal static class Limits
{
    /// <summary>One answer of the gateway: a bulk submit of a thousand lines stays far below.</summary>
    public const int AnswerBytes = 16 << 20;

    /// <summary>Head of an answer; Kestrel's own is about 300 bytes.</summary>
    public const int HeadBytes = 16 << 10;

    /// <summary>Lines of a child's error output that are quoted when it fails.</summary>
    public const int ErrorLinesQuoted = 20;

    /// <summary>Nothing measured here takes longer; beyond it a child hangs.</summary>
    public static readonly TimeSpan ChildTimeout = TimeSpan.FromMinutes(20);

    /// <summary>Silo and agent end within it, or are killed.</summary>
    public static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks at a drain: a look costs about a millisecond of the database's time.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two lines of progress.</summary>
    public static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>A drain that finishes no job for so long hangs.</summary>
    public static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A Redis server opens its port within a second.</summary>
    public static readonly TimeSpan RedisStartTimeout = TimeSpan.FromSeconds(15);
}
