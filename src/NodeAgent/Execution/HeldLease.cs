using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// One lease as its holder sees it. It ends once, for one reason: its deadline passed without a renewal, the leader revoked
/// it, or a report was fenced. The deadline counts from when the assignment arrived, or from when a renewing heartbeat was
/// <em>sent</em>: the control side counts from later, so the holder always stops first.
/// <para>
/// After a sleep it is unconfirmed until a heartbeat sent since then has renewed it: nothing is computed or reported for it.
/// One that arrives before any such heartbeat was answered is unconfirmed too: its message may have waited out the sleep.
/// </para>
/// </summary>
public sealed class HeldLease : IDisposable
{
    private readonly SleepWatch watch;
    private readonly CancellationTokenSource ended = new();
    private readonly Lock gate = new();
    private TaskCompletionSource? confirmed;
    private TimeSpan deadline;
    private string? endReason;
    private int confirmedSleeps;

    public HeldLease(LeaseKey key, TimeSpan duration, SleepWatch watch)
    {
        ArgumentNullException.ThrowIfNull(watch);
        Key = key;
        this.watch = watch;
        deadline = watch.Now + duration;
        confirmedSleeps = watch.Answered;
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

    /// <summary>Whether work may go on and be reported now. Asks the clocks: after a sleep no timer has fired yet.</summary>
    public bool Check()
    {
        if (!Lives())
            return false;
        var sleeps = watch.Look();
        lock (gate)
            return confirmedSleeps == sleeps;
    }

    /// <summary>Whether it has not ended; confirmed or not.</summary>
    public bool Lives()
    {
        lock (gate)
        {
            if (endReason is not null)
                return false;
            if (watch.Now < deadline)
                return true;
        }
        End("its deadline passed without a renewal");
        return false;
    }

    /// <summary>Returns when work may go on: at once, or when the pool has confirmed the lease after a sleep.</summary>
    /// <exception cref="OperationCanceledException">It has ended.</exception>
    public async Task ReadyAsync()
    {
        while (!Check())
        {
            Ended.ThrowIfCancellationRequested();
            Task next;
            lock (gate)
            {
                if (confirmedSleeps == watch.Look())
                    continue;
                confirmed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                next = confirmed.Task;
            }
            await next.WaitAsync(Ended);
        }
    }

    /// <summary>Renews from a moment in the past; never shortens, and never wakes a lease that has ended.</summary>
    /// <param name="sentAt">When the heartbeat was sent.</param>
    /// <param name="duration">Of the lease, from then.</param>
    /// <param name="sleeps">Of <see cref="SleepWatch.Look"/> when it was sent.</param>
    public void Renew(TimeSpan sentAt, TimeSpan duration, int sleeps)
    {
        if (!Lives())
            return;
        TaskCompletionSource? waiting;
        lock (gate)
        {
            deadline = sentAt + duration > deadline ? sentAt + duration : deadline;
            confirmedSleeps = Math.Max(confirmedSleeps, sleeps);
            (waiting, confirmed) = (confirmed, null);
        }
        waiting?.SetResult();
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

    public void Dispose()
    {
        lock (gate)
        {
            // One that has ended is cancelled, perhaps at this moment, and holds nothing.
            if (endReason is not null)
                return;
            endReason = "its shard is done";
        }
        ended.Dispose();
    }
}
