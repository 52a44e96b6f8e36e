using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Mutants;

/// <summary>Without the rule that an item keeps its first result: the last one stays.</summary>
internal sealed class LastResultLedger(ILedger inner) : PassingLedger(inner)
{
    private readonly Dictionary<(JobId, int), ItemResult> last = [];

    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        var outcomes = await Inner.CommitAsync(term, operations, cancellationToken);
        for (var i = 0; i < operations.Count; i++)
        {
            if (!outcomes[i].Applied || operations[i] is not LedgerOperation.RecordResults record)
                continue;
            foreach (var result in record.Results)
                last[(record.Id.Job, result.Index)] = result;
        }
        return outcomes;
    }

    public override async IAsyncEnumerable<ItemResult> ReadResultsAsync(
        JobId job,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var result in Inner.ReadResultsAsync(job, cancellationToken))
            yield return last.GetValueOrDefault((job, result.Index), result);
    }
}
