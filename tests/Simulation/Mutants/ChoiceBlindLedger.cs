using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Does not tell a new leader on what devices a job may run.</summary>
internal sealed class ChoiceBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) => Inner.CommitAsync(term, operations, cancellationToken);

    public override async IAsyncEnumerable<QueuedJob> LoadQueuedAsync(
        PoolId pool,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var job in Inner.LoadQueuedAsync(pool, cancellationToken))
            yield return job with
            {
                Devices = null,
            };
    }

    public override async Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(
        PoolId pool,
        CancellationToken cancellationToken
    ) => [.. (await Inner.LoadActiveAsync(pool, cancellationToken)).Select(WithoutChoice)];

    private static ActiveJob WithoutChoice(ActiveJob job) =>
        job with
        {
            Spec = job.Spec with { Rules = job.Spec.Rules with { Devices = null } },
        };
}
