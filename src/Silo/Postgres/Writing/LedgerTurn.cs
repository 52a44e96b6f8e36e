using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>The submissions of one transaction: all of one term, bounded in operations and text.</summary>
internal sealed class LedgerTurn
{
    private readonly List<LedgerSubmission> _submissions;
    private long _chars;

    public LedgerTurn(LedgerSubmission first)
    {
        _submissions = [];
        Add(first);
    }

    private LedgerTurn(List<LedgerSubmission> submissions) => _submissions = submissions;

    public LeaderTerm Term => _submissions[0].Term;

    public IReadOnlyList<LedgerSubmission> Submissions => _submissions;

    public int OperationCount { get; private set; }

    public IEnumerable<LedgerOperation> Operations => _submissions.SelectMany(submission => submission.Operations);

    /// <summary>Its number, once it has one.</summary>
    public long? Number { get; set; }

    /// <summary>It was sent over a connection that was then lost: it may have been committed.</summary>
    public bool IsInDoubt { get; set; }

    /// <summary>The first submission always fits, however large.</summary>
    public bool Fits(LedgerSubmission next) =>
        next.Term == Term
        && OperationCount + next.Operations.Count <= Limits.LedgerTurnOperations
        && _chars + next.Chars <= Limits.LedgerTurnChars;

    public void Add(LedgerSubmission submission)
    {
        _submissions.Add(submission);
        OperationCount += submission.Operations.Count;
        _chars += submission.Chars;
    }

    /// <summary>The same submissions as two turns, of which neither is empty.</summary>
    public (LedgerTurn First, LedgerTurn Second) Halve()
    {
        var middle = _submissions.Count / 2;
        return (new(_submissions[..middle]), new(_submissions[middle..]));
    }

    public void Succeed(LedgerOutcome[] outcomes)
    {
        var from = 0;
        foreach (var submission in _submissions)
        {
            var to = from + submission.Operations.Count;
            submission.Outcomes.TrySetResult(outcomes[from..to]);
            from = to;
        }
    }

    public void Fail(Exception error)
    {
        foreach (var submission in _submissions)
            submission.Outcomes.TrySetException(error);
    }
}
