using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>The shards of one device: at most one computes at a time. Knows every lease the device holds and for how long.</summary>
internal sealed class ShardRunner(
    DeviceId device,
    ShardItems items,
    ShardReporter reporter,
    ILeaseClock clock,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<ShardRun> log
)
{
    private readonly Lock gate = new();
    private readonly Dictionary<LeaseKey, (ShardRun Run, Task Task)> runs = [];
    private readonly Queue<LeaseKey> remembered = new();
    private bool leaving;

    /// <summary>The leases held now.</summary>
    public LeaseKey[] Running
    {
        get
        {
            lock (gate)
                return
                [
                    .. runs
                        .Values.Where(entry => entry.Run.Lease.EndReason is null)
                        .Select(entry => entry.Run.Lease.Key),
                ];
        }
    }

    /// <summary>Starts the shard and returns at once; null when it runs, or ran, under this very lease.</summary>
    public Refusal? Start(ShardAssignment assignment)
    {
        var key = assignment.Lease;
        lock (gate)
        {
            if (leaving)
                return new Refusal(RefusalCode.NodeDraining, $"{device} is shutting down.");
            if (key.Device != device)
                return new Refusal(RefusalCode.Fenced, $"The lease {key} is not for {device}.");
            if (remembered.Contains(key))
                return null;
            if (remembered.Any(other => other.Shard == key.Shard && other.Epoch > key.Epoch))
                return new Refusal(RefusalCode.Fenced, $"{device} has already seen a later epoch than {key}.");
            foreach (var (other, entry) in runs)
            {
                if (other.Shard == key.Shard)
                    entry.Run.Lease.End($"epoch {key.Epoch} of the shard arrived");
            }
            if (runs.Values.Any(entry => entry.Run.Computing))
                return new Refusal(RefusalCode.DeviceBusy, $"{device} computes another shard.");
            Remember(key);
            var lease = new HeldLease(key, assignment.LeaseDuration, clock);
            var run = new ShardRun(assignment, lease, items, reporter, time, log);
            // Off the caller's turn: a grain's scheduler must not carry the work.
            runs[key] = (run, Task.Run(() => RunAsync(run)));
        }
        changes.Raise();
        return null;
    }

    /// <summary>Ends the shard if it runs under exactly this lease.</summary>
    public void Stop(LeaseKey key, string reason)
    {
        lock (gate)
        {
            if (runs.TryGetValue(key, out var entry))
                entry.Run.Lease.End(reason);
        }
    }

    /// <summary>
    /// Carries out the leader's answer to a heartbeat: what it renewed lives on from when the heartbeat was sent, everything
    /// else the heartbeat named ends.
    /// </summary>
    public void Renew(
        IReadOnlyList<LeaseKey> named,
        IReadOnlyCollection<LeaseKey> renewed,
        TimeSpan sentAt,
        TimeSpan duration
    )
    {
        lock (gate)
        {
            foreach (var key in named)
            {
                if (!runs.TryGetValue(key, out var entry))
                    continue;
                if (renewed.Contains(key))
                    entry.Run.Lease.Renew(sentAt, duration);
                else
                    entry.Run.Lease.End("the leader revoked it");
            }
        }
    }

    /// <summary>Ends what has outlived its deadline.</summary>
    public void CheckDeadlines()
    {
        lock (gate)
        {
            foreach (var (run, _) in runs.Values)
                run.Lease.Check();
        }
    }

    /// <summary>Ends every shard and takes no more.</summary>
    public async Task LeaveAsync()
    {
        Task[] ending;
        lock (gate)
        {
            leaving = true;
            foreach (var (run, _) in runs.Values)
                run.Lease.End("the agent is shutting down");
            ending = [.. runs.Values.Select(entry => entry.Task)];
        }
        await Task.WhenAll(ending);
    }

    private async Task RunAsync(ShardRun run)
    {
        try
        {
            await run.RunAsync();
        }
        finally
        {
            lock (gate)
                runs.Remove(run.Lease.Key);
            run.Lease.Dispose();
            changes.Raise();
        }
    }

    private void Remember(LeaseKey key)
    {
        remembered.Enqueue(key);
        if (remembered.Count > Limits.RememberedLeases)
            remembered.Dequeue();
    }
}
