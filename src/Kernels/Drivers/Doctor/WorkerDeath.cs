using EgpuFleet.Kernels.Drivers.Failures;

namespace EgpuFleet.Kernels.Drivers.Doctor;

/// <summary>What the last words of a worker mean.</summary>
/// <param name="Id">Of the failure, such as <c>architecture_reads_ones</c>; <see cref="UnknownId"/> where none is known by it.</param>
/// <param name="Class">What is broken; null where that is not known.</param>
/// <param name="Action">What an agent does about it.</param>
/// <param name="Seen">The line that tells, at most <see cref="Limits.SeenCharacters"/> of it.</param>
public sealed record WorkerDeath(
    string Id,
    FailureClass? Class,
    FailureAction Action,
    string Seen,
    string Cause,
    string Fix
)
{
    public const string UnknownId = "worker_died";

    public const string HangId = "worker_hung";

    /// <summary>Pure: a worker that did not fail but stood still, and was ended for it.</summary>
    /// <param name="seen">How that was noticed.</param>
    public static WorkerDeath OfHang(string seen) =>
        new(
            HangId,
            FailureClass.DeviceHung,
            FailureAction.RestartWorker,
            DisplayNumbers.Plain(seen) ?? "nothing came",
            "The device, or the worker on it, stood still and did not answer any more.",
            "If it happens again: switch the enclosure off and on, and look at the card's power and temperature."
        );

    /// <summary>Whether the text is one of a failure that is known.</summary>
    public bool IsKnown => Class is not null;

    /// <summary>Pure: of several failures in the text the one that explains the others.</summary>
    /// <param name="text">A traceback or the end of a log, of any content and size.</param>
    public static WorkerDeath Explain(string text)
    {
        if (FailureTable.Classify(text) is [var match, ..])
        {
            var row = match.Signature;
            return new WorkerDeath(row.Id, row.Class, row.Action, match.Line, row.Cause, row.Fix);
        }
        return new WorkerDeath(
            UnknownId,
            null,
            FailureAction.RestartWorker,
            DisplayNumbers.Plain(text.TrimEnd().Split('\n')[^1]) ?? "the worker said nothing",
            "The worker died, for a reason that is not known here.",
            "Look at the worker's log in the agent's folder (workers/), and report its last lines."
        );
    }
}
