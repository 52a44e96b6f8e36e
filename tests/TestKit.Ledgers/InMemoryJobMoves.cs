using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>How the operations on whole jobs move them between states; the caller holds the lock and has checked the term.</summary>
internal static class InMemoryJobMoves
{
    private static readonly LedgerOutcome Refused = new(Applied: false);

    public static LedgerOutcome Apply(
        InMemoryJob job,
        LedgerOperation operation,
        Dictionary<JobId, InMemoryJob> jobs,
        DateTimeOffset now,
        Func<InMemoryJob, JobEvent, LedgerOutcome> log
    ) =>
        (operation, job.State) switch
        {
            (LedgerOperation.StartJob, JobState.Queued) => Move(job, JobState.Running, JobEventKind.Started, now, log),
            (LedgerOperation.SucceedJob, JobState.Running) when job.Results.Count == job.Spec.ItemCount => Move(
                job,
                JobState.Succeeded,
                JobEventKind.Succeeded,
                now,
                log
            ),
            (LedgerOperation.EndJob o, _) when job.IsActive => End(job, o.To, o.End, now, log),
            (LedgerOperation.ExpireJob o, _) when job.IsActive && IsOver(job, o.End.Code, now) => End(
                job,
                JobState.Failed,
                o.End,
                now,
                log
            ),
            (LedgerOperation.HoldJob, JobState.Queued or JobState.Blocked) => Move(
                job,
                JobState.Held,
                JobEventKind.Held,
                now,
                log
            ),
            (LedgerOperation.ReleaseJob, JobState.Held) => Release(job, jobs, now, log),
            (LedgerOperation.PauseJob, JobState.Running) => Pause(job, now, log),
            (LedgerOperation.ResumeJob, JobState.Paused) => Move(job, JobState.Running, JobEventKind.Resumed, now, log),
            (LedgerOperation.UnblockJob, JobState.Blocked) when AreMet(job.Spec, jobs) => Move(
                job,
                JobState.Queued,
                JobEventKind.Unblocked,
                now,
                log
            ),
            _ => Refused,
        };

    public static IReadOnlyList<JobState?> Dependencies(JobSpec spec, Dictionary<JobId, InMemoryJob> jobs) =>
        [.. spec.Rules.DependsOn.Select(d => jobs.GetValueOrDefault(d.Job)?.State)];

    /// <summary>Every dependency has ended as it must.</summary>
    public static bool AreMet(JobSpec spec, Dictionary<JobId, InMemoryJob> jobs) =>
        spec.Rules.DependsOn.All(d =>
            jobs.TryGetValue(d.Job, out var job)
            && (d.Condition == DependencyCondition.AfterAny ? !job.IsActive : job.State == JobState.Succeeded)
        );

    public static LedgerOutcome Move(
        InMemoryJob job,
        JobState to,
        JobEventKind how,
        DateTimeOffset now,
        Func<InMemoryJob, JobEvent, LedgerOutcome> log
    )
    {
        job.State = to;
        if (how == JobEventKind.Started)
            job.StartedAt = now;
        if (!job.IsActive)
            job.FinishedAt = now;
        return log(job, new JobEvent(0, now, how, null, null, null, null, job.End?.Message)) with { State = to };
    }

    private static LedgerOutcome End(
        InMemoryJob job,
        JobState to,
        JobEnd end,
        DateTimeOffset now,
        Func<InMemoryJob, JobEvent, LedgerOutcome> log
    )
    {
        if (to is not (JobState.Failed or JobState.Cancelled))
            throw new ArgumentException($"No job ends as {to}.", nameof(to));
        job.End = end;
        foreach (var shard in job.Shards.Where(s => s.State is ShardState.Queued or ShardState.Running))
            shard.State = ShardState.Cancelled;
        return Move(job, to, to == JobState.Failed ? JobEventKind.Failed : JobEventKind.Cancelled, now, log);
    }

    private static LedgerOutcome Release(
        InMemoryJob job,
        Dictionary<JobId, InMemoryJob> jobs,
        DateTimeOffset now,
        Func<InMemoryJob, JobEvent, LedgerOutcome> log
    )
    {
        var outcome = Move(job, JobState.Queued, JobEventKind.Released, now, log);
        if (!AreMet(job.Spec, jobs))
            outcome = Move(job, JobState.Blocked, JobEventKind.Blocked, now, log);
        return outcome with { Dependencies = Dependencies(job.Spec, jobs) };
    }

    private static LedgerOutcome Pause(
        InMemoryJob job,
        DateTimeOffset now,
        Func<InMemoryJob, JobEvent, LedgerOutcome> log
    )
    {
        foreach (var shard in job.Shards.Where(s => s.State == ShardState.Running))
            shard.State = ShardState.Queued;
        return Move(job, JobState.Paused, JobEventKind.Paused, now, log);
    }

    private static bool IsOver(InMemoryJob job, JobEndCode code, DateTimeOffset now) =>
        code switch
        {
            JobEndCode.DeadlineExceeded => job.Spec.Rules.Deadline <= now,
            JobEndCode.RunTimeExceeded => job.StartedAt + job.Spec.Rules.MaxRunTime <= now,
            _ => throw new ArgumentException($"{code} is no time that runs out.", nameof(code)),
        };
}
