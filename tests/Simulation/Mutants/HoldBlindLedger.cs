using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Says that a job is held, and lets it go on.</summary>
internal sealed class HoldBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        var outcomes = await Inner.CommitAsync(
            term,
            [.. operations.Where(operation => operation is not LedgerOperation.HoldJob)],
            cancellationToken
        );
        var others = new Queue<LedgerOutcome>(outcomes);
        return
        [
            .. operations.Select(operation =>
                operation is LedgerOperation.HoldJob ? new LedgerOutcome(Applied: true) : others.Dequeue()
            ),
        ];
    }
}
