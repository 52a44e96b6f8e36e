using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.World;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Simulation.Tests.Storage;

/// <summary>One operation that the ledger accepted.</summary>
/// <param name="At">Time of the world.</param>
/// <param name="DatabaseTime">Time by the database's clock.</param>
internal sealed record Accepted(
    TimeSpan At,
    DateTimeOffset DatabaseTime,
    LeaderTerm Term,
    LedgerOperation? Operation,
    LedgerOutcome Outcome
);

/// <summary>Writes down what the ledger accepted, in the order in which it did. An entry without operation is an election.</summary>
internal sealed class RecordingLedger(ILedger inner, Clockwork clockwork, TimeProvider databaseClock, Trace trace)
    : PassingLedger(inner)
{
    private readonly List<Accepted> accepted = [];

    public IReadOnlyList<Accepted> Accepted => accepted;

    /// <summary>Called after each commit that was taken: where a crash hurts most.</summary>
    public Action Committed { get; set; } = () => { };

    /// <summary>Jobs that were submitted and have not ended.</summary>
    public int Unfinished { get; private set; }

    /// <summary>Operations that changed nothing, because their condition did not hold.</summary>
    public int RefusedCount { get; private set; }

    /// <summary>Commits of leaders whose term was over.</summary>
    public int FencedCount { get; private set; }

    public override async Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        var won = await Inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken);
        if (won is not null)
        {
            trace.Note("ledger", $"{won.Term.Holder} leads, epoch {won.Term.Epoch}");
            Add(won.Term, operation: null, new LedgerOutcome(Applied: true));
        }
        return won;
    }

    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<LedgerOutcome> outcomes;
        try
        {
            outcomes = await Inner.CommitAsync(term, operations, cancellationToken);
        }
        catch (LeaderFencedException)
        {
            FencedCount++;
            trace.Note("ledger", $"fenced {term.Holder}, epoch {term.Epoch}");
            throw;
        }
        for (var i = 0; i < operations.Count; i++)
        {
            trace.Note("ledger", $"{(outcomes[i].Applied ? "took" : "refused")} {OperationText.Of(operations[i])}");
            if (outcomes[i].Applied)
                Add(term, operations[i], outcomes[i]);
            else
                RefusedCount++;
        }
        Committed();
        return outcomes;
    }

    private void Add(LeaderTerm term, LedgerOperation? operation, LedgerOutcome outcome)
    {
        accepted.Add(new Accepted(clockwork.Now, databaseClock.GetUtcNow(), term, operation, outcome));
        Unfinished += operation switch
        {
            LedgerOperation.SubmitJob => 1,
            LedgerOperation.SucceedJob or LedgerOperation.EndJob or LedgerOperation.ExpireJob => -1,
            _ => 0,
        };
    }
}
