using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Writing.Statements;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>A turn's operations as statements in the order of their slots. Statements are kept for later turns.</summary>
internal sealed class TurnStatements
{
    private static readonly LedgerOutcome Refused = new(Applied: false);

    private readonly LedgerWaves _waves = new();
    private readonly SortedList<int, LedgerStatement> _slots = [];
    private readonly Stack<LedgerStatement>[] _spare =
    [
        .. Enum.GetValues<StatementKind>().Select(_ => new Stack<LedgerStatement>()),
    ];
    private int _count;

    /// <exception cref="ArgumentException">An operation makes no sense; nothing may be executed then.</exception>
    public void Fill(IEnumerable<LedgerOperation> operations)
    {
        Clear();
        foreach (var operation in operations)
        {
            var kind = LedgerWaves.KindOf(operation);
            var slot = _waves.Place(operation, kind);
            if (!_slots.TryGetValue(slot, out var statement))
                _slots.Add(slot, statement = Rent(kind));
            statement.Add(operation, _count++);
        }
    }

    public void AddTo(NpgsqlBatch batch, LeaderTerm term)
    {
        foreach (var statement in _slots.Values)
            batch.BatchCommands.Add(statement.Command(term));
    }

    /// <summary>Reads the result sets that follow the current one, to the end: only then is the transaction known to be committed.</summary>
    public async Task<LedgerOutcome[]> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var outcomes = new LedgerOutcome[_count];
        Array.Fill(outcomes, Refused);
        foreach (var statement in _slots.Values)
        {
            await reader.NextResultAsync(cancellationToken);
            await statement.ReadAsync(reader, outcomes, cancellationToken);
        }
        await reader.NextResultAsync(cancellationToken);
        return outcomes;
    }

    private void Clear()
    {
        foreach (var (slot, statement) in _slots)
        {
            statement.Clear();
            _spare[slot % LedgerWaves.Kinds].Push(statement);
        }
        _slots.Clear();
        _waves.Clear();
        _count = 0;
    }

    private LedgerStatement Rent(StatementKind kind) => _spare[(int)kind].TryPop(out var spare) ? spare : Make(kind);

    private static LedgerStatement Make(StatementKind kind) =>
        kind switch
        {
            StatementKind.SubmitPlainJobs => new SubmitPlainJobs(),
            StatementKind.SubmitJobs => new SubmitJobs(),
            StatementKind.ReleaseJobs => new ReleaseJobs(),
            StatementKind.StartJobs => new StartJobs(),
            StatementKind.ResumeJobs => new ResumeJobs(),
            StatementKind.StartShards => new StartShards(),
            StatementKind.RestartShards => new RestartShards(),
            StatementKind.RecordResults => new RecordResults(),
            StatementKind.EndShards => new EndShards(),
            StatementKind.RequeueShards => new RequeueShards(),
            StatementKind.HoldJobs => new HoldJobs(),
            StatementKind.PauseJobs => new PauseJobs(),
            StatementKind.SucceedJobs => new SucceedJobs(),
            StatementKind.EndJobs => new EndJobs(),
            StatementKind.ExpireJobs => new ExpireJobs(),
            StatementKind.UnblockJobs => new UnblockJobs(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A statement of a new kind."),
        };
}
