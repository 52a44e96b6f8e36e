using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>Does not look at the writer's term: a deposed leader writes as if it were the current one.</summary>
internal sealed class TermBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        for (var epoch = term.Epoch; ; epoch++)
        {
            foreach (var holder in new[] { "silo-a", "silo-b" })
            {
                try
                {
                    var current = term with { Holder = holder, Epoch = epoch };
                    return await Inner.CommitAsync(current, operations, cancellationToken);
                }
                catch (LeaderFencedException) when (epoch < term.Epoch + 2)
                {
                    // Not that one; the next may be current.
                }
            }
        }
    }
}

/// <summary>Does not look at the clock: a job expires when the leader says so.</summary>
internal sealed class ClockBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) =>
        Inner.CommitAsync(
            term,
            [
                .. operations.Select(o =>
                    o is LedgerOperation.ExpireJob expire
                        ? new LedgerOperation.EndJob(expire.Id, JobState.Failed, expire.End)
                        : o
                ),
            ],
            cancellationToken
        );
}
