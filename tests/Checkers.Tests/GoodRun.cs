using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Checkers.Tests;

/// <summary>A run in which every promise was kept: a repeated submit, a lost worker, a cancel, a new leader.</summary>
internal static class GoodRun
{
    public const string Place = "node-1/cpu#noop";

    public static History History { get; } =
        new(
            [
                new SubmitCall("t", "key-a", null, CallOutcome.Indeterminate),
                new SubmitCall("t", "key-a", "a", CallOutcome.Acknowledged),
                new SubmitCall("t", "key-b", "b", CallOutcome.Acknowledged),
                new SubmitCall("t", "key-c", null, CallOutcome.Indeterminate),
                new SubmitCall("t", "key-d", null, CallOutcome.Refused),
            ],
            [
                new CancelCall("b", null, CallOutcome.Indeterminate),
                new CancelCall("b", JobPhase.Cancelled, CallOutcome.Acknowledged),
                new CancelCall("a", JobPhase.Succeeded, CallOutcome.Acknowledged),
            ],
            [
                new JobSighting("a", JobPhase.Waiting, 0),
                new JobSighting("a", JobPhase.Running, 1),
                new JobSighting("a", JobPhase.Succeeded, 2),
            ],
            [new ResultSighting("a", 0, "x"), new ResultSighting("a", 0, "x"), new ResultSighting("a", 1, "y")],
            new Drain(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), Unfinished: 0)
        );

    public static FinalLedger Ledger { get; } =
        new(
            [
                new FinalJob("a", "t", "key-a", JobPhase.Succeeded, 2),
                new FinalJob("b", "t", "key-b", JobPhase.Cancelled, 1),
                new FinalJob("c", "t", "key-c", JobPhase.Failed, 1),
            ],
            [new FinalResult("a", 0, "x"), new FinalResult("a", 1, "y")],
            [
                new AcceptedWrite(WriteKind.LeaderElected, "", LeaderEpoch: 1),
                new AcceptedWrite(WriteKind.Submitted, "a", LeaderEpoch: 1),
                new AcceptedWrite(WriteKind.Submitted, "b", LeaderEpoch: 1),
                new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 1, Place, 1),
                new AcceptedWrite(WriteKind.ResultsRecorded, "a", 0, 1, LeaderEpoch: 1),
                new AcceptedWrite(WriteKind.ShardStarted, "b", 0, 1, Place, 1),
                new AcceptedWrite(WriteKind.LeaderElected, "", LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.ShardRequeued, "a", 0, 1, LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.ShardStarted, "a", 0, 2, Place, 2),
                new AcceptedWrite(WriteKind.Cancelled, "b", LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.Submitted, "c", LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.ShardStarted, "c", 0, 1, Place, 2),
                new AcceptedWrite(WriteKind.ShardFailed, "c", 0, 1, LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.Failed, "c", LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.ResultsRecorded, "a", 0, 2, LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.ShardFinished, "a", 0, 2, LeaderEpoch: 2),
                new AcceptedWrite(WriteKind.Succeeded, "a", LeaderEpoch: 2),
            ],
            new Dictionary<string, int>(StringComparer.Ordinal) { [Place] = 2 }
        );
}
