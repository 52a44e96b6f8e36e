namespace EgpuFleet.Cli.Evidence;

/// <summary>Time that a run may take in all.</summary>
internal sealed class EvidenceBudget(TimeSpan total, TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();

    public TimeSpan Total { get; } = total;

    public TimeSpan Elapsed => clock.GetElapsedTime(_start);

    /// <summary>Never below zero.</summary>
    public TimeSpan Left => Elapsed < Total ? Total - Elapsed : TimeSpan.Zero;
}
