using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres;

/// <summary>The submissions of one transaction: all of one term, bounded in operations and text.</summary>
internal sealed class LedgerTurn
{
    private readonly List<LedgerSubmission> _submissions = [];
    private int _operations;
    private long _chars;

    public LedgerTurn(LedgerSubmission first) => Add(first);

    public LeaderTerm Term => _submissions[0].Term;

    public IReadOnlyList<LedgerSubmission> Submissions => _submissions;

    public IEnumerable<LedgerOperation> Operations => _submissions.SelectMany(submission => submission.Operations);

    /// <summary>The first submission always fits, however large.</summary>
    public bool Fits(LedgerSubmission next) =>
        next.Term == Term
        && _operations + next.Operations.Count <= Limits.LedgerTurnOperations
        && _chars + next.Chars <= Limits.LedgerTurnChars;

    public void Add(LedgerSubmission submission)
    {
        _submissions.Add(submission);
        _operations += submission.Operations.Count;
        _chars += submission.Chars;
    }

    public void Succeed(List<LedgerOutcome> outcomes)
    {
        var from = 0;
        foreach (var submission in _submissions)
        {
            submission.Outcomes.TrySetResult(outcomes.GetRange(from, submission.Operations.Count));
            from += submission.Operations.Count;
        }
    }

    public void Fail(Exception error)
    {
        foreach (var submission in _submissions)
            submission.Outcomes.TrySetException(error);
    }
}
