using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Noops;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// The no-op shards of one device. Those that arrive together go to the worker in one frame, and those that end together to
/// the pool in one call. Nothing runs per shard: it moves on when the worker answers, when its report is answered, when its
/// lease ends, or when the worker is gone.
/// </summary>
internal sealed partial class NoopShards(ReportQueue reports, TimeProvider time, ILogger<NoopShards> log)
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, NoopShard> computing = [];
    private WorkerProcess? bound;
    private long lastLane;

    /// <summary>Told once of each shard that is over, whichever way.</summary>
    public Action<HeldLease>? Ended { get; set; }

    /// <summary>Shards that take a slot; one that only waits for its report to be answered does not.</summary>
    public int Computing
    {
        get
        {
            lock (gate)
                return computing.Count;
        }
    }

    /// <summary>Starts shards in the worker and returns at once.</summary>
    public void Start(IReadOnlyList<(ShardAssignment Assignment, HeldLease Lease)> started, WorkerProcess worker)
    {
        var shards = new List<NoopShard>(started.Count);
        lock (gate)
        {
            Bind(worker);
            foreach (var (assignment, lease) in started)
            {
                var shard = new NoopShard(assignment, lease, ++lastLane, worker);
                computing.Add(shard.Lane, shard);
                Expect(shard);
                shards.Add(shard);
                LogStarted(lease.Key, assignment.Items.Count);
            }
        }
        foreach (var shard in shards)
            shard.Lease.Ended.UnsafeRegister(state => GiveUp((NoopShard)state!), shard);
        Run(shards, worker);
    }

    /// <summary>Reports what has waited since the last tick, and gives up a worker that owes an answer for too long.</summary>
    public void Tick()
    {
        var due = new List<PendingReport>();
        lock (gate)
        {
            var now = time.GetTimestamp();
            foreach (var shard in computing.Values.ToArray())
            {
                if (shard.DueAt < now)
                    Hang(shard, due);
                else if (shard is { HasUnreported: true, Reporting: false })
                    due.Add(ReportOf(shard));
            }
        }
        reports.Send(due);
    }

    private void Run(List<NoopShard> shards, WorkerProcess worker)
    {
        var work = new List<NoopWork>();
        foreach (var shard in shards)
        {
            if (!shard.IsSendable)
                Fail([shard], new EngineException(EngineErrorClass.InvalidRequest, "A payload is too long."));
            else if (shard.Lease.Check())
                work.AddRange(shard.Work());
            else
                _ = RunLaterAsync(shard);
        }
        worker.Client.Noops.Send(work);
        // The connection may have ended before these shards were there to be told.
        if (worker.Closed.IsCompleted)
            Lose(worker);
    }

    /// <summary>Arrived after a sleep that the pool has not been heard since: see <see cref="HeldLease"/>. Never faults.</summary>
    private async Task RunLaterAsync(NoopShard shard)
    {
        lock (gate)
            shard.DueAt = long.MaxValue;
        try
        {
            await shard.Lease.ReadyAsync();
        }
        catch (OperationCanceledException)
        {
            return;
        }
        lock (gate)
            Expect(shard);
        Run([shard], shard.Worker);
    }

    private void Bind(WorkerProcess worker)
    {
        if (bound == worker)
            return;
        bound = worker;
        worker.Client.Noops.Answered = answers => Take(worker, answers);
        _ = LoseWhenClosedAsync(worker);
    }

    private async Task LoseWhenClosedAsync(WorkerProcess worker)
    {
        await worker.Closed;
        Lose(worker);
    }

    private void Lose(WorkerProcess worker)
    {
        NoopShard[] lost;
        lock (gate)
            lost = [.. computing.Values.Where(shard => shard.Worker == worker)];
        Fail(lost, new EngineException(EngineErrorClass.WorkerLost, worker.Closed.Result.Reason));
    }

    private void Take(WorkerProcess worker, IReadOnlyList<NoopAnswer> answers)
    {
        var due = new List<PendingReport>();
        lock (gate)
        {
            foreach (var answer in answers)
            {
                // Not there: given up while its answer was on its way.
                if (!computing.TryGetValue(answer.Lane, out var shard))
                    continue;
                if (answer.Error is { } error)
                    shard.Failure = new ShardFailure(
                        EngineErrors.Code(error.ErrorClass),
                        error.Message,
                        error.Retryable
                    );
                else if (!shard.TryTake(answer))
                    worker.Condemn($"It answered item {answer.Index} of {shard.Lease.Key} out of turn.");
                Expect(shard);
                if (shard.IsOver)
                    computing.Remove(shard.Lane);
                if ((shard.IsOver || shard.HasFullReport) && !shard.Reporting)
                    due.Add(ReportOf(shard));
            }
        }
        reports.Send(due);
    }

    private void Fail(IReadOnlyList<NoopShard> shards, EngineException failure)
    {
        var due = new List<PendingReport>();
        lock (gate)
        {
            foreach (var shard in shards)
                Fail(shard, failure, due);
        }
        reports.Send(due);
    }

    private void Fail(NoopShard shard, EngineException failure, List<PendingReport> due)
    {
        if (!computing.Remove(shard.Lane))
            return;
        shard.Failure = new ShardFailure(EngineErrors.Code(failure.ErrorClass), failure.Message, failure.Retryable);
        if (!shard.Reporting)
            due.Add(ReportOf(shard));
    }

    private void Hang(NoopShard shard, List<PendingReport> due)
    {
        const string Reason = "The worker owes the answer of a no-op for too long.";
        Fail(shard, new EngineException(EngineErrorClass.WorkerHung, Reason), due);
        shard.Worker.Condemn(Reason);
    }

    /// <summary>Its lease has ended: the worker need not go on, and nothing is said of it.</summary>
    private void GiveUp(NoopShard shard)
    {
        bool wasComputing;
        lock (gate)
            wasComputing = computing.Remove(shard.Lane);
        if (wasComputing)
            shard.Worker.Client.Noops.Cancel([shard.Lane]);
        LogEnded(shard.Lease.Key, shard.Lease.EndReason);
        Ended?.Invoke(shard.Lease);
    }

    private PendingReport ReportOf(NoopShard shard) =>
        new(shard.Lease, shard.TakeReport(), fate => Reported(shard, fate));

    private void Reported(NoopShard shard, ReportFate fate)
    {
        PendingReport? next = null;
        lock (gate)
        {
            shard.Reporting = false;
            // Its lease's end has told everybody already.
            if (fate == ReportFate.LeaseEnded)
                return;
            if (!shard.LastWordSaid && (shard.IsOver || shard.HasFullReport))
                next = ReportOf(shard);
        }
        if (next is not null)
            reports.Send([next]);
        else if (shard.LastWordSaid)
            Finish(shard);
    }

    private void Finish(NoopShard shard)
    {
        if (shard.Failure is { } failure)
            LogFailed(shard.Lease.Key, failure.Code, failure.Message);
        else
            LogFinished(shard.Lease.Key);
        Ended?.Invoke(shard.Lease);
    }

    private void Expect(NoopShard shard)
    {
        var patience = shard.ItemDuration + Limits.NoopPatience;
        shard.DueAt = time.GetTimestamp() + (long)(patience.TotalSeconds * time.TimestampFrequency);
    }
}
