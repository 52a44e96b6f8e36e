using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Rules;

/// <summary>
/// The rules that owners give their jobs, held against what the ledger accepted, in commit order: dependencies, holds and
/// pauses, deadlines and run times by database time, tries, shards at once, and kinds of devices. Its own book of states: it shares nothing
/// with the lifecycles it checks.
/// </summary>
internal static class JobRulesCheck
{
    private sealed class Book(JobSpec spec)
    {
        public JobSpec Spec => spec;
        public JobState State { get; set; } = JobState.Queued;
        public DateTimeOffset? StartedAt { get; set; }
        public HashSet<int> Running { get; } = [];
        public Dictionary<int, int> Failures { get; } = [];
        public Dictionary<int, DateTimeOffset> NotBefore { get; } = [];
        public bool IsTerminal => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
    }

    public static IEnumerable<Violation> Check(IReadOnlyList<Accepted> accepted)
    {
        var books = new Dictionary<JobId, Book>();
        foreach (var entry in accepted)
        {
            if (entry.Operation is null)
                continue;
            if (entry.Operation is LedgerOperation.SubmitJob submit)
            {
                books[submit.Spec.Id] = new Book(submit.Spec) { State = entry.Outcome.State };
                if (Unmet(submit.Spec, books).Any() && entry.Outcome.State == JobState.Queued)
                    yield return new Violation("dependencies", $"{submit.Spec.Id} was queued at once");
                continue;
            }
            var book = books[JobOf(entry.Operation)];
            if (WhatIsWrong(book, entry, books) is { } wrong)
                yield return wrong;
            Apply(book, entry);
        }
    }

    private static Violation? WhatIsWrong(Book book, Accepted entry, Dictionary<JobId, Book> books)
    {
        var text = $"{OperationText.Of(entry.Operation!)} in state {book.State} at {entry.At}";
        if (!IsLegal(book, entry.Operation!))
            return new Violation("lifecycle", text);
        return entry.Operation switch
        {
            LedgerOperation.StartJob or LedgerOperation.UnblockJob when Unmet(book.Spec, books).Any() => new Violation(
                "dependencies",
                $"{text}, while {Unmet(book.Spec, books).First()} is not met"
            ),
            LedgerOperation.StartShard
            or LedgerOperation.RestartShard when book.Running.Count >= book.Spec.Rules.MaxParallel => new Violation(
                "max parallel",
                $"{text}: {book.Running.Count} were running"
            ),
            LedgerOperation.RestartShard o when book.NotBefore.GetValueOrDefault(o.Id.Number) > entry.DatabaseTime =>
                new Violation("backoff", $"{text}: not before {book.NotBefore[o.Id.Number]}"),
            LedgerOperation.StartShard o when !IsAllowed(book.Spec, o.Device) => new Violation("devices", text),
            LedgerOperation.RestartShard o when !IsAllowed(book.Spec, o.Device) => new Violation("devices", text),
            LedgerOperation.ExpireJob o when !IsOver(book, o.End.Code, entry.DatabaseTime) => new Violation(
                "deadline",
                $"{text}: its time was not over"
            ),
            LedgerOperation.EndJob o => WhatIsWrongWithEnd(book, o, books, text),
            _ => null,
        };
    }

    private static Violation? WhatIsWrongWithEnd(
        Book book,
        LedgerOperation.EndJob end,
        Dictionary<JobId, Book> books,
        string text
    ) =>
        end.End.Code switch
        {
            JobEndCode.DependencyFailed when !book.Spec.Rules.DependsOn.Any(d => HasFailed(d, books)) => new Violation(
                "dependencies",
                $"{text}: none has failed"
            ),
            JobEndCode.RetriesExhausted
                when book.Failures.Values.DefaultIfEmpty().Max() + 1 < book.Spec.Rules.Retry.MaxAttempts =>
                new Violation("tries", $"{text}: {book.Spec.Rules.Retry.MaxAttempts} were allowed"),
            JobEndCode.DeadlineExceeded or JobEndCode.RunTimeExceeded => new Violation("deadline", text),
            _ => null,
        };

    private static bool IsLegal(Book book, LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.StartJob => book.State == JobState.Queued,
            LedgerOperation.HoldJob => book.State is JobState.Queued or JobState.Blocked,
            LedgerOperation.ReleaseJob => book.State == JobState.Held,
            LedgerOperation.UnblockJob => book.State == JobState.Blocked,
            LedgerOperation.ResumeJob => book.State == JobState.Paused,
            LedgerOperation.EndJob or LedgerOperation.ExpireJob => !book.IsTerminal,
            _ => book.State == JobState.Running,
        };

    // Here a device's name says what it is.
    private static bool IsAllowed(JobSpec spec, DeviceId device) =>
        spec.Rules.Devices?.Require != DeviceClass.Cpu || device.Name.StartsWith("cpu", StringComparison.Ordinal);

    private static bool IsOver(Book book, JobEndCode code, DateTimeOffset now) =>
        code == JobEndCode.DeadlineExceeded
            ? book.Spec.Rules.Deadline <= now
            : book.StartedAt + book.Spec.Rules.MaxRunTime <= now;

    private static IEnumerable<JobId> Unmet(JobSpec spec, Dictionary<JobId, Book> books) =>
        spec.Rules.DependsOn.Where(dependency => !IsMet(dependency, books)).Select(dependency => dependency.Job);

    private static bool IsMet(JobDependency dependency, Dictionary<JobId, Book> books) =>
        books.TryGetValue(dependency.Job, out var other)
        && (
            dependency.Condition == DependencyCondition.AfterAny ? other.IsTerminal : other.State == JobState.Succeeded
        );

    private static bool HasFailed(JobDependency dependency, Dictionary<JobId, Book> books) =>
        dependency.Condition == DependencyCondition.AfterOk
        && books.TryGetValue(dependency.Job, out var other)
        && other.State is JobState.Failed or JobState.Cancelled;

    private static void Apply(Book book, Accepted entry)
    {
        switch (entry.Operation)
        {
            case LedgerOperation.StartShard o:
                book.Running.Add(o.Id.Number);
                break;
            case LedgerOperation.RestartShard o:
                book.Running.Add(o.Id.Number);
                break;
            case LedgerOperation.RequeueShard o:
                book.Running.Remove(o.Id.Number);
                book.Failures[o.Id.Number] = book.Failures.GetValueOrDefault(o.Id.Number) + (o.CountsAsFailure ? 1 : 0);
                if (o.Backoff is { } backoff)
                    book.NotBefore[o.Id.Number] = entry.DatabaseTime + backoff;
                break;
            case LedgerOperation.FinishShard o:
                book.Running.Remove(o.Id.Number);
                break;
            case LedgerOperation.FailShard o:
                book.Running.Remove(o.Id.Number);
                break;
            case LedgerOperation.StartJob:
                book.StartedAt = entry.DatabaseTime;
                break;
        }
        book.State = StateAfter(book.State, entry);
        if (book.State == JobState.Paused)
            book.Running.Clear();
    }

    private static JobState StateAfter(JobState state, Accepted entry) =>
        entry.Operation switch
        {
            LedgerOperation.StartJob or LedgerOperation.ResumeJob => JobState.Running,
            LedgerOperation.PauseJob => JobState.Paused,
            LedgerOperation.HoldJob => JobState.Held,
            LedgerOperation.ReleaseJob => entry.Outcome.State,
            LedgerOperation.UnblockJob => JobState.Queued,
            LedgerOperation.SucceedJob => JobState.Succeeded,
            LedgerOperation.EndJob o => o.To,
            LedgerOperation.ExpireJob => JobState.Failed,
            _ => state,
        };

    private static JobId JobOf(LedgerOperation operation) => Grains.Scheduling.LedgerOperations.JobOf(operation);
}
