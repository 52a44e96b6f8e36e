namespace EgpuFleet.Benchmarks.Queue;

/// <summary>How much each phase of the queue benchmark does; the same for us and for the peers but for the drain.</summary>
/// <param name="SettleSeconds">Submits of a fresh program before anything is counted: runtimes compile what is hot meanwhile.</param>
/// <param name="SettleJobs">Jobs from end to end before a dispatch or an end-to-end phase, for the same reason.</param>
/// <param name="WarmupSeconds">Submits before counting, of each phase.</param>
/// <param name="Seconds">Submits counted.</param>
/// <param name="LatencySamples">Jobs of a dispatch phase.</param>
/// <param name="PeerDrainJobs">A peer's backlog: long enough for a steady rate, short enough for five runs of three peers.</param>
internal sealed record QueueSizes(
    double SettleSeconds,
    int SettleJobs,
    double WarmupSeconds,
    double Seconds,
    int LatencySamples,
    int EndToEndJobs,
    int DrainJobs,
    int PeerDrainJobs,
    int MillionJobs
)
{
    /// <summary>Connections of a bulk submit, and jobs of one call.</summary>
    public const int BulkClients = 4;

    public const int BulkJobs = 500;

    /// <summary>Quiet time after each job of a dispatch phase.</summary>
    public const int PauseMilliseconds = 20;

    public static QueueSizes Full { get; } = new(8, 10_000, 1, 5, 300, 10_000, 100_000, 20_000, 1_000_000);

    /// <summary>Of a fleet just started, to say how it begins.</summary>
    public const int ColdLatencySamples = 60;

    /// <summary>To see that everything works; figures of such a run are worth nothing.</summary>
    public static QueueSizes Quick { get; } = new(0.5, 500, 0.5, 1, 50, 1_000, 5_000, 5_000, 20_000);
}
