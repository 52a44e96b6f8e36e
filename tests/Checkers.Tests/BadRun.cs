using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Checkers.Tests;

/// <summary>The good run with one promise broken.</summary>
/// <param name="Rule">The rule that must notice, by itself.</param>
internal sealed record BadRun(string Rule, string Name, History History, FinalLedger Ledger)
{
    private static readonly History Seen = GoodRun.History;
    private static readonly FinalLedger Truth = GoodRun.Ledger;
    private static readonly Dictionary<string, int> OneSlot = new(StringComparer.Ordinal) { [GoodRun.Place] = 1 };

    public static IReadOnlyList<BadRun> All { get; } =
    [
        Of("J1", "an acknowledged job is lost", Without("a")),
        Of("J1", "an acknowledged job never ends", Ending("a", JobPhase.Waiting)),
        Of("J2", "a job nobody submitted", WithJob(new FinalJob("z", "t", "key-z", JobPhase.Failed, 1))),
        Of("J2", "a refused submit was stored", WithJob(new FinalJob("z", "t", "key-d", JobPhase.Failed, 1))),
        Of("J3", "finished twice", Then(new AcceptedWrite(WriteKind.Succeeded, "a"))),
        Of("J3", "written after its end", Then(new AcceptedWrite(WriteKind.ResultsRecorded, "a", 0, 2))),
        Of("J3", "two ends were seen", See(new JobSighting("a", JobPhase.Failed, 2))),
        Of("J3", "ended without a write", Ending("c", JobPhase.Cancelled)),
        Of("J4", "a report of a lost lease", At(9, new AcceptedWrite(WriteKind.ResultsRecorded, "a", 0, 1))),
        Of("J4", "an old leader's write", At(9, new AcceptedWrite(WriteKind.Submitted, "b", LeaderEpoch: 1))),
        Of("J4", "two leases of one shard", At(9, new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 3, "x", 2))),
        Of("J5", "a shard's epoch twice", At(9, new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 2, "x", 2))),
        Of("J5", "a leader's epoch twice", At(9, new AcceptedWrite(WriteKind.LeaderElected, "", LeaderEpoch: 2))),
        Of("J6", "progress went back", See(new JobSighting("a", JobPhase.Succeeded, 1))),
        Of("J7", "two results of an item", WithResult(new FinalResult("a", 1, "y"))),
        Of("J7", "a result changed", See(new ResultSighting("a", 1, "other"))),
        Of("J7", "succeeded without all results", Truth with { Results = [.. Truth.Results.Skip(1)] }),
        Of("J7", "a result of no item", WithResult(new FinalResult("a", 2, "z"))),
        Of("J8", "too many leases", Truth with { Capacity = OneSlot }),
        Of("J9", "a repeated submit made a second job", Told(new SubmitCall("t", "key-a", "b", default))),
        Of("J9", "two keys, one job", Told(new SubmitCall("t", "key-c", "a", default))),
        Of("J10", "cancelled, and yet finished", Asked(new CancelCall("a", JobPhase.Cancelled, default))),
        Of("J10", "cancelled, and goes on", Asked(new CancelCall("a", JobPhase.Running, default))),
        Of("J10", "cancelled by nobody", Seen with { Cancels = [] }),
        new BadRun("J10", "cancelled for one that succeeded", Seen with { Cancels = [] }, Needing("b", "a")),
        Of("J11", "does not drain", Seen with { Drain = Seen.Drain! with { Unfinished = 1 } }),
        Of("J11", "drains too slowly", Seen with { Drain = Seen.Drain! with { Waited = TimeSpan.FromHours(1) } }),
    ];

    private static BadRun Of(string rule, string name, FinalLedger ledger) => new(rule, name, Seen, ledger);

    private static BadRun Of(string rule, string name, History history) => new(rule, name, history, Truth);

    private static FinalLedger Without(string job) =>
        Truth with
        {
            Jobs = [.. Truth.Jobs.Where(stored => stored.Id != job)],
        };

    private static FinalLedger Ending(string job, JobPhase state) =>
        Truth with
        {
            Jobs = [.. Truth.Jobs.Select(stored => stored.Id == job ? stored with { State = state } : stored)],
        };

    /// <summary>The job was cancelled, says the ledger, because the other did not succeed.</summary>
    public static FinalLedger Needing(string job, string other) =>
        Truth with
        {
            Jobs = [.. Truth.Jobs.Select(stored => stored.Id == job ? stored with { NeededInVain = [other] } : stored)],
        };

    private static FinalLedger WithJob(FinalJob job) => Truth with { Jobs = [.. Truth.Jobs, job] };

    private static FinalLedger WithResult(FinalResult result) => Truth with { Results = [.. Truth.Results, result] };

    private static FinalLedger Then(AcceptedWrite write) => Truth with { Writes = [.. Truth.Writes, write] };

    private static FinalLedger At(int place, AcceptedWrite write) =>
        Truth with
        {
            Writes = [.. Truth.Writes.Take(place), write, .. Truth.Writes.Skip(place)],
        };

    private static History See(JobSighting seen) => Seen with { Sightings = [.. Seen.Sightings, seen] };

    private static History See(ResultSighting seen) => Seen with { Results = [.. Seen.Results, seen] };

    private static History Told(SubmitCall call) => Seen with { Submits = [.. Seen.Submits, call] };

    private static History Asked(CancelCall call) => Seen with { Cancels = [.. Seen.Cancels, call] };
}
