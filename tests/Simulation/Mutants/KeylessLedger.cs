using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Without the unique key: a submit that is repeated is another job.</summary>
internal sealed class KeylessLedger(ILedger inner) : PassingLedger(inner)
{
    public override Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) => Inner.CommitAsync(term, [.. operations.Select(WithoutKey)], cancellationToken);

    private static LedgerOperation WithoutKey(LedgerOperation operation) =>
        operation is LedgerOperation.SubmitJob submit ? submit with { IdempotencyKey = null } : operation;
}
