using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Without the leader guard: a deposed leader writes as if it were the current one.</summary>
internal sealed class TermBlindLedger(ILedger inner) : PassingLedger(inner)
{
    private LeaderTerm? current;

    public override async Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        var won = await Inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken);
        current = won?.Term ?? current;
        return won;
    }

    public override Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) => Inner.CommitAsync(current ?? term, operations, cancellationToken);
}
