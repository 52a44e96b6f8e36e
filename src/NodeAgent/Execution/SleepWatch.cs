namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// Notices that the machine slept: while it sleeps the time since boot goes on and .NET's monotonic clock stands still. What
/// was leased before a sleep, and what arrives before the pool has answered a heartbeat sent after it, may be of an earlier
/// epoch; see <see cref="HeldLease"/>. Sleeps are counted, so that an answer from before one confirms nothing.
/// </summary>
public sealed class SleepWatch
{
    // Two clocks are not read at one moment: a reading that took longer than this is taken again.
    private static readonly TimeSpan ReadingTolerance = TimeSpan.FromMilliseconds(20);

    private readonly ILeaseClock clock;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private TimeSpan lastBoot;
    private long lastMonotonic;
    private int sleeps;
    private volatile int answered;

    public SleepWatch(ILeaseClock clock, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(time);
        this.clock = clock;
        this.time = time;
        (lastBoot, lastMonotonic) = Read();
    }

    /// <summary>Time since boot, sleep included.</summary>
    public TimeSpan Now => clock.Now;

    /// <summary>Sleeps before the last heartbeat that was answered.</summary>
    public int Answered => answered;

    /// <summary>Compares the clocks; how often the machine has slept since this process began.</summary>
    public int Look()
    {
        lock (gate)
        {
            var (boot, monotonic) = Read();
            if (boot - lastBoot - time.GetElapsedTime(lastMonotonic, monotonic) >= Limits.LeastSleep)
                sleeps++;
            (lastBoot, lastMonotonic) = (boot, monotonic);
            return sleeps;
        }
    }

    /// <summary>A heartbeat that was sent after so many sleeps has been answered.</summary>
    public void Answer(int sleepsAtSend)
    {
        lock (gate)
            answered = Math.Max(answered, sleepsAtSend);
    }

    private (TimeSpan Boot, long Monotonic) Read()
    {
        const int Attempts = 10;
        for (var attempt = 1; ; attempt++)
        {
            var before = time.GetTimestamp();
            var boot = clock.Now;
            var after = time.GetTimestamp();
            if (attempt == Attempts || time.GetElapsedTime(before, after) <= ReadingTolerance)
                return (boot, after);
        }
    }
}
