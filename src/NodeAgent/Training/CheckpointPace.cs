namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// When the next checkpoint is due: Young's and Daly's optimum for what one costs and how often something fails, but never so
/// often that training stands still for more than a small share of the time, and never later than the promise. Pure.
/// </summary>
/// <param name="ceiling">
/// The promise: so much work may be lost at most beside the step under way, or twice what a checkpoint takes where that is longer.
/// </param>
internal sealed class CheckpointPace(TimeSpan ceiling)
{
    private double stallSeconds;
    private double wholeSeconds;

    /// <summary>How long to train until the next one.</summary>
    public TimeSpan Interval
    {
        get
        {
            var optimum = Math.Sqrt(2 * stallSeconds * Limits.MeanTimeToFailure.TotalSeconds);
            var wanted = Math.Max(optimum, stallSeconds / Limits.CheckpointStallShare);
            // Until the next one is durable, it is the last one that a loss goes back to.
            var promised = Math.Max(ceiling.TotalSeconds, 2 * wholeSeconds) - wholeSeconds;
            return TimeSpan.FromSeconds(
                Math.Min(Math.Max(wanted, Limits.LeastCheckpointInterval.TotalSeconds), promised)
            );
        }
    }

    /// <summary>Learns from one checkpoint.</summary>
    /// <param name="stall">How long training stood still for it.</param>
    /// <param name="whole">From its beginning until it was durable.</param>
    public void Took(TimeSpan stall, TimeSpan whole) =>
        (stallSeconds, wholeSeconds) = (stall.TotalSeconds, whole.TotalSeconds);
}
