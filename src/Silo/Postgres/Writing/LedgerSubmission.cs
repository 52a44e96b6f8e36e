using System.Diagnostics;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing;

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

    /// <summary>Prompts and results it carries, in characters.</summary>
    public long Chars { get; } = operations.Sum(CharsOf);

    private static long CharsOf(LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.RecordResults record => record.Results.Sum(CharsOf),
            LedgerOperation.SubmitJob { Items: { } items } => items.Sum(item => item.CountCharacters()),
            _ => 0,
        };

    private static long CharsOf(ItemResult result) =>
        (long)(result.Text?.Length ?? 0) + (result.ErrorMessage?.Length ?? 0);
}
