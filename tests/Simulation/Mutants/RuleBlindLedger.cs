using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Forgets what a job depends on: it is queued at once.</summary>
internal sealed class RuleBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) => Inner.CommitAsync(term, [.. operations.Select(WithoutDependencies)], cancellationToken);

    private static LedgerOperation WithoutDependencies(LedgerOperation operation) =>
        operation is LedgerOperation.SubmitJob submit
            ? submit with
            {
                Spec = submit.Spec with { Rules = submit.Spec.Rules with { DependsOn = [] } },
            }
            : operation;
}
