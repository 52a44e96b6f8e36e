using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>Wakes those who wait for new lines of a job's log. Safe from any thread; holds no lines itself.</summary>
internal sealed class EventSignals(TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<JobId, long> lastSequence = [];
    private readonly Queue<JobId> remembered = new();
    private readonly Dictionary<JobId, List<TaskCompletionSource>> waiters = [];
    private int waiterCount;

    /// <summary>The log of a job now ends with this line.</summary>
    public void Raise(JobId job, long sequence)
    {
        List<TaskCompletionSource>? woken;
        lock (gate)
        {
            if (lastSequence.TryAdd(job, sequence))
                remembered.Enqueue(job);
            else
                lastSequence[job] = Math.Max(lastSequence[job], sequence);
            // The oldest is forgotten: its waiters then look by themselves after the longest wait.
            while (remembered.Count > Limits.RememberedJobs)
                lastSequence.Remove(remembered.Dequeue());
            waiters.Remove(job, out woken);
        }
        foreach (var waiter in woken ?? [])
            waiter.TrySetResult();
    }

    /// <summary>Returns when the log is longer than a sequence, or after the longest wait.</summary>
    /// <exception cref="PoolUnavailableException">Too many callers wait.</exception>
    public async Task WaitAsync(JobId job, long after, TimeSpan longest, CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (lastSequence.TryGetValue(job, out var last) && last > after)
                return;
            if (waiterCount >= Limits.MaxEventWaiters)
                throw new PoolUnavailableException("Too many callers wait for events.");
            waiterCount++;
            if (!waiters.TryGetValue(job, out var list))
                waiters.Add(job, list = []);
            list.Add(waiter);
        }
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(waiter.Task, Task.Delay(longest, time, stop.Token));
            await stop.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }
        finally
        {
            Leave(job, waiter);
        }
    }

    /// <summary>Wakes everyone: the leader has changed, and nobody here will know of new lines.</summary>
    public void ReleaseAll()
    {
        List<TaskCompletionSource> all;
        lock (gate)
        {
            all = [.. waiters.Values.SelectMany(list => list)];
            waiters.Clear();
        }
        foreach (var waiter in all)
            waiter.TrySetResult();
    }

    private void Leave(JobId job, TaskCompletionSource waiter)
    {
        lock (gate)
        {
            waiterCount--;
            if (waiters.TryGetValue(job, out var list) && list.Remove(waiter) && list.Count == 0)
                waiters.Remove(job);
        }
    }
}
