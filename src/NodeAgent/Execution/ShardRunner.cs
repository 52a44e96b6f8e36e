using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// The shards of one device: at most one of a model computes at a time, and beside it as many no-ops as there are slots.
/// Knows every lease the device holds and for how long.
/// </summary>
internal sealed class ShardRunner(
    DeviceFacts facts,
    WorkerSupervisor supervisor,
    ShardItems items,
    NoopShards noops,
    ReportQueue reports,
    SleepWatch watch,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<ShardRun> log
)
{
    private const string ShuttingDown = "the agent is shutting down";

    // Slots are counted, then taken: one hand-over at a time.
    private readonly Lock turn = new();
    private readonly Lock gate = new();
    private readonly Dictionary<LeaseKey, Held> held = [];
    private readonly StartedShards started = new();
    private bool leaving;
    private string? closed;

    /// <summary>A lease, and where a model computes for it, the run.</summary>
    private sealed record Held(HeldLease Lease, ShardRun? Run)
    {
        public Task Task { get; set; } = Task.CompletedTask;
    }

    /// <summary>The leases held now.</summary>
    public LeaseKey[] Running => [.. Leases().Where(lease => lease.EndReason is null).Select(lease => lease.Key)];

    /// <summary>Starts a shard; see <see cref="Start(IReadOnlyList{ShardAssignment})"/>.</summary>
    public Refusal? Start(ShardAssignment assignment) => Start([assignment])[0];

    /// <summary>
    /// Starts shards and returns at once; for each, in order, null when it runs, or ran, under this very lease, or why not.
    /// </summary>
    public Refusal?[] Start(IReadOnlyList<ShardAssignment> assignments)
    {
        lock (turn)
            return StartInTurn(assignments);
    }

    /// <summary>Ends the shard if it runs under exactly this lease.</summary>
    public void Stop(LeaseKey key, string reason) => Find(key)?.End(reason);

    /// <summary>
    /// Carries out the leader's answer to a heartbeat: what it renewed lives on from when the heartbeat was sent, everything
    /// else the heartbeat named ends.
    /// </summary>
    /// <param name="sleeps">Of <see cref="SleepWatch.Look"/> when it was sent.</param>
    public void Renew(
        IReadOnlyList<LeaseKey> named,
        IReadOnlySet<LeaseKey> renewed,
        TimeSpan sentAt,
        TimeSpan duration,
        int sleeps
    )
    {
        foreach (var key in named)
        {
            if (Find(key) is not { } lease)
                continue;
            if (renewed.Contains(key))
                lease.Renew(sentAt, duration, sleeps);
            else
                lease.End("the leader revoked it");
        }
    }

    /// <summary>Ends what has outlived its deadline, and looks after the no-ops.</summary>
    public void Tick()
    {
        foreach (var lease in Leases())
            lease.Lives();
        noops.Tick();
    }

    /// <summary>
    /// Takes no more, and gives every shard back: what of it has been computed is reported, the rest runs elsewhere. Returns
    /// when no lease is left, or the pool has not taken the last results for too long.
    /// </summary>
    public async Task GiveBackAsync(string reason)
    {
        Held[] ending;
        lock (gate)
        {
            closed = reason;
            ending = [.. held.Values];
        }
        foreach (var one in ending)
        {
            if (one.Run is { } run)
                run.GiveBack(reason);
            else
                one.Lease.End(reason);
        }
        var all = Task.WhenAll(ending.Select(one => one.Task));
        var trains = Array.Exists(ending, one => one.Run is { Trains: true });
        await Task.WhenAny(all, Task.Delay(trains ? Limits.DrainTimeout : Limits.GiveBackTimeout, time));
        foreach (var one in ending)
            one.Lease.End(reason);
        await all;
    }

    /// <summary>Ends every shard at once: the device is gone.</summary>
    public void Drop(string reason)
    {
        foreach (var lease in Leases())
            lease.End(reason);
    }

    /// <summary>Takes shards again.</summary>
    public void Reopen()
    {
        lock (gate)
            closed = null;
    }

    /// <summary>
    /// Takes no more. A fine-tuning makes its state durable, for which its lease has to be renewed meanwhile; what a batch has
    /// not reported is computed elsewhere as quickly. Returns when no run trains, or it has taken too long.
    /// </summary>
    public Task DrainAsync()
    {
        lock (gate)
            leaving = true;
        return SettleAsync(_ => true, ShuttingDown);
    }

    /// <summary>
    /// Fine-tunings under these leases make their states durable and end. Returns when they have, or it has taken too long;
    /// what else runs goes on.
    /// </summary>
    public Task SettleAsync(LeaseKey[] leases, string reason) => SettleAsync(leases.Contains, reason);

    /// <summary>Takes no more, and ends every shard.</summary>
    public async Task LeaveAsync()
    {
        await DrainAsync();
        Held[] ending;
        lock (gate)
            ending = [.. held.Values];
        foreach (var one in ending)
            one.Lease.End(ShuttingDown);
        await Task.WhenAll(ending.Select(one => one.Task));
    }

    private async Task SettleAsync(Func<LeaseKey, bool> which, string reason)
    {
        Held[] training;
        lock (gate)
            training = [.. held.Values.Where(one => one.Run is { Trains: true } && which(one.Lease.Key))];
        foreach (var one in training)
            one.Run!.GiveBack(reason);
        await Task.WhenAny(Task.WhenAll(training.Select(one => one.Task)), Task.Delay(Limits.DrainTimeout, time));
    }

    private Refusal?[] StartInTurn(IReadOnlyList<ShardAssignment> assignments)
    {
        noops.Ended ??= Forget;
        var refusals = new Refusal?[assignments.Count];
        var noopsToStart = new List<(ShardAssignment, HeldLease)>();
        var superseded = new List<(HeldLease Lease, string Reason)>();
        var worker = supervisor.Worker;
        var runs = 0;
        lock (gate)
        {
            var freeNoopSlots = facts.NoopSlots - noops.Computing;
            for (var i = 0; i < assignments.Count; i++)
            {
                var assignment = assignments[i];
                var isNew = IsNew(assignment.Lease, superseded, out refusals[i]);
                if (!isNew || (refusals[i] = RefusalOf(assignment, worker, freeNoopSlots)) is not null)
                    continue;
                started.Add(assignment.Lease.Shard, assignment.Lease.Epoch);
                var lease = new HeldLease(assignment.Lease, assignment.LeaseDuration, watch);
                if (assignment.Kind != JobKind.Noop)
                {
                    Run(assignment, lease);
                    runs++;
                    continue;
                }
                held.Add(lease.Key, new Held(lease, Run: null));
                noopsToStart.Add((assignment, lease));
                freeNoopSlots--;
            }
        }
        // Outside the lock: the end of a lease calls its holder.
        foreach (var (lease, reason) in superseded)
            lease.End(reason);
        if (noopsToStart.Count > 0)
            noops.Start(noopsToStart, worker!);
        if (runs > 0)
            changes.Raise();
        return refusals;
    }

    private bool IsNew(LeaseKey key, List<(HeldLease, string)> superseded, out Refusal? refusal)
    {
        refusal = null;
        if (key.Device != facts.Device)
            refusal = new Refusal(RefusalCode.Fenced, $"The lease {key} is not for {facts.Device}.");
        else if (started.EpochOf(key.Shard) is { } epoch && epoch > key.Epoch)
            refusal = new Refusal(RefusalCode.Fenced, $"{facts.Device} has already seen a later epoch than {key}.");
        else if (started.EpochOf(key.Shard) is { } earlier && earlier < key.Epoch)
        {
            foreach (var one in held.Values.Where(one => one.Lease.Key.Shard == key.Shard))
                superseded.Add((one.Lease, $"epoch {key.Epoch} of the shard arrived"));
        }
        return refusal is null && started.EpochOf(key.Shard) != key.Epoch;
    }

    private Refusal? RefusalOf(ShardAssignment assignment, WorkerProcess? worker, int freeNoopSlots)
    {
        var device = facts.Device;
        if (leaving)
            return new Refusal(RefusalCode.NodeDraining, $"{device} is shutting down.");
        if (closed is { } why)
            return new Refusal(RefusalCode.NodeDraining, $"{device}: {why}");
        if (worker is null)
            return new Refusal(RefusalCode.NodeDraining, $"{device} has no ready worker.");
        if (held.Count >= Limits.HeldLeases || reports.KeptBytes >= Limits.KeptReportBytes)
            return new Refusal(RefusalCode.DeviceBusy, $"{device} waits for the pool to take its reports.");
        if (assignment.Kind == JobKind.Noop)
        {
            return freeNoopSlots > 0
                ? null
                : new Refusal(RefusalCode.DeviceBusy, $"{device} runs no-ops in all its {facts.NoopSlots} slots.");
        }
        var isBusy = held.Values.Any(one =>
            one.Run is { Computing: true } run && run.Lease.Key.Shard != assignment.Lease.Shard
        );
        return isBusy ? new Refusal(RefusalCode.DeviceBusy, $"{device} computes another shard.") : null;
    }

    private void Run(ShardAssignment assignment, HeldLease lease)
    {
        var run = new ShardRun(assignment, lease, items, reports, time, log);
        var entry = new Held(lease, run);
        // A fine-tuning that has lost its lease may still be ending: they have one folder.
        var before = run.Trains
            ? Task.WhenAll(held.Values.Where(one => one.Run is { Trains: true }).Select(one => one.Task))
            : Task.CompletedTask;
        held.Add(lease.Key, entry);
        // Off the caller's turn: a grain's scheduler must not carry the work.
        entry.Task = Task.Run(() => RunAsync(run, before));
    }

    private async Task RunAsync(ShardRun run, Task before)
    {
        try
        {
            await before;
            await run.RunAsync();
        }
        finally
        {
            Forget(run.Lease);
            changes.Raise();
        }
    }

    private void Forget(HeldLease lease)
    {
        lock (gate)
            held.Remove(lease.Key);
        lease.Dispose();
    }

    private HeldLease? Find(LeaseKey key)
    {
        lock (gate)
            return held.TryGetValue(key, out var one) ? one.Lease : null;
    }

    private HeldLease[] Leases()
    {
        lock (gate)
            return [.. held.Values.Select(one => one.Lease)];
    }
}
