namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// The database's time, estimated: what it said with its last answer, and the time that has passed here since. An answer is
/// older than its arrival, so the estimate is behind rather than ahead, and what is due by it is due there.
/// </summary>
internal sealed class DatabaseClock
{
    private DateTimeOffset read;
    private TimeSpan readAt;

    /// <summary>Takes in an answer of the database.</summary>
    /// <param name="now">Elapsed time of the leader.</param>
    public void Read(DateTimeOffset database, TimeSpan now) => (read, readAt) = (database, now);

    public DateTimeOffset At(TimeSpan now) => read + (now - readAt);
}
