using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// One lease as its holder sees it. It ends once, for one reason: its deadline passed without a renewal, the leader revoked
/// it, or a report was fenced. The deadline counts from when the assignment arrived, or from when a renewing heartbeat was
/// <em>sent</em>: the control side counts from later, so the holder always stops first.
/// </summary>
public sealed class HeldLease : IDisposable
{
    private readonly ILeaseClock clock;
    private readonly CancellationTokenSource ended = new();
    private readonly Lock gate = new();
    private TimeSpan deadline;
    private string? endReason;

    public HeldLease(LeaseKey key, TimeSpan duration, ILeaseClock clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        Key = key;
        this.clock = clock;
        deadline = clock.Now + duration;
        Ended = ended.Token;
    }

    public LeaseKey Key { get; }

    /// <summary>Fires when the lease has ended.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Why it ended; null while it lives.</summary>
    public string? EndReason
    {
        get
        {
            lock (gate)
                return endReason;
        }
    }

    /// <summary>Whether work may go on and be reported. Asks the clock: after a sleep no timer has fired yet.</summary>
    public bool Check()
    {
        if (EndReason is not null)
            return false;
        bool over;
        lock (gate)
            over = clock.Now >= deadline;
        if (over)
            End("its deadline passed without a renewal");
        return !over;
    }

    /// <summary>Renews from a moment in the past; never shortens, and never wakes a lease that has ended.</summary>
    public void Renew(TimeSpan sentAt, TimeSpan duration)
    {
        if (!Check())
            return;
        lock (gate)
            deadline = sentAt + duration > deadline ? sentAt + duration : deadline;
    }

    public void End(string reason)
    {
        lock (gate)
        {
            if (endReason is not null)
                return;
            endReason = reason;
        }
        ended.Cancel();
    }

    public void Dispose() => ended.Dispose();
}
