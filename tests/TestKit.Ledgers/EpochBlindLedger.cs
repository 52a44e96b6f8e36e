using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>Does not look at the shard's epoch: every report counts as one under the current lease.</summary>
public sealed class EpochBlindLedger(ILedger inner) : PassingLedger(inner)
{
    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        var active = await Inner.LoadActiveAsync(term.Pool, cancellationToken);
        var epochs = active.SelectMany(job => job.Shards).ToDictionary(shard => shard.Id, shard => shard.Epoch);
        var blind = operations.Select(operation => Renumber(operation, epochs)).ToList();
        return await Inner.CommitAsync(term, blind, cancellationToken);
    }

    private static LedgerOperation Renumber(LedgerOperation operation, Dictionary<ShardId, int> epochs) =>
        operation switch
        {
            LedgerOperation.RecordResults o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.FinishShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.FailShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.RequeueShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            _ => operation,
        };
}
