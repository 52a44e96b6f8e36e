using System.Diagnostics;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres;

/// <summary>One caller's operations on their way through the group commit.</summary>
internal sealed class LedgerSubmission(
    LeaderTerm term,
    IReadOnlyList<LedgerOperation> operations,
    ActivityContext caller
)
{
    public LeaderTerm Term { get; } = term;

    public IReadOnlyList<LedgerOperation> Operations { get; } = operations;

    /// <summary>Trace of the caller, linked to the turn that carries its operations.</summary>
    public ActivityContext Caller { get; } = caller;

    public TaskCompletionSource<IReadOnlyList<LedgerOutcome>> Outcomes { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Result text it carries, in characters.</summary>
    public long Chars { get; } = operations.OfType<LedgerOperation.RecordResults>().Sum(CharsOf);

    private static long CharsOf(LedgerOperation.RecordResults record) =>
        record.Results.Sum(r => (long)(r.Text?.Length ?? 0) + (r.ErrorMessage?.Length ?? 0));
}
