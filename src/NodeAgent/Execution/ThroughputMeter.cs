namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// Tokens per second of a device over the time it was busy, smoothed. Idle time does not count: a device is not slow because
/// nobody asked it.
/// </summary>
public sealed class ThroughputMeter(TimeProvider time)
{
    // A new window weighs this much against all earlier ones: about five windows to follow a change.
    private const double Weight = 0.3;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private int active;
    private long total;
    private long tokens;
    private TimeSpan busy;
    private long busySince;
    private double rate;

    /// <summary>Sequences in decode now.</summary>
    public int Active
    {
        get
        {
            lock (gate)
                return active;
        }
    }

    /// <summary>Tokens so far.</summary>
    public long Tokens
    {
        get
        {
            lock (gate)
                return total;
        }
    }

    /// <summary>Smoothed tokens per second; 0 before the first measurement.</summary>
    public double TokensPerSecond
    {
        get
        {
            lock (gate)
                return rate;
        }
    }

    public void Begin()
    {
        lock (gate)
        {
            if (active++ == 0)
                busySince = time.GetTimestamp();
        }
    }

    public void Token()
    {
        lock (gate)
        {
            total++;
            tokens++;
            Account();
        }
    }

    public void End()
    {
        lock (gate)
        {
            Account();
            active--;
        }
    }

    private void Account()
    {
        var now = time.GetTimestamp();
        busy += time.GetElapsedTime(busySince, now);
        busySince = now;
        if (busy < Window)
            return;
        var measured = tokens / busy.TotalSeconds;
        rate = rate == 0 ? measured : rate + (Weight * (measured - rate));
        tokens = 0;
        busy = TimeSpan.Zero;
    }
}
