using System.Threading.Channels;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// Group commit: one loop drains what callers have queued, up to a bound, into one transaction, and so pays one disk
/// flush for all of them.
/// <para>
/// Protocol of a turn: one round trip, in which a guard asserts the leader's term and the turn's number (and aborts
/// everything where either does not hold), a few statements carry all operations out, and the server commits. When the
/// connection is lost on the way, the turn is sent again under the same number: the guard lets exactly one of the two
/// commit. Where that was the lost one, the outcomes are read back from what it wrote (<see cref="LostTurn"/>). A caller
/// is told "unavailable" only where neither can be learned in time.
/// </para>
/// <para>
/// An operation that the database rejects as invalid fails its own submission only: the turn is halved until it is found.
/// </para>
/// </summary>
internal sealed partial class LedgerWriter : IAsyncDisposable
{
    private readonly TurnQueue _queue;
    private readonly TurnStatements _statements = new();
    private readonly TurnNumbers _numbers = new();
    private readonly NpgsqlDataSource _source;
    private readonly ResiliencePipeline _pipeline;
    private readonly ILogger _logger;
    private readonly Task _loop;
    private NpgsqlConnection? _connection;

    public LedgerWriter(NpgsqlDataSource source, ResiliencePipeline pipeline, TimeProvider time, ILogger logger)
    {
        (_source, _pipeline, _logger) = (source, pipeline, logger);
        _queue = new TurnQueue(time);
        _loop = Task.Run(RunAsync);
    }

    public async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        using var activity = LedgerTelemetry.Source.StartActivity("ledger commit");
        var submission = new LedgerSubmission(term, operations, activity?.Context ?? default);
        try
        {
            await _queue.EnqueueAsync(submission, cancellationToken);
        }
        catch (ChannelClosedException e)
        {
            throw new LedgerUnavailableException("The ledger is closed.", e);
        }
        return await submission.Outcomes.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Commits what is queued, then closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _loop;
        _queue.Dispose();
        await DropConnectionAsync();
    }

    private async Task RunAsync()
    {
        while (await _queue.NextAsync() is { } turn)
        {
            await CompleteAsync(turn);
            _queue.Answered(turn);
        }
    }

    /// <summary>Carries a turn out and tells its callers; whatever happens, each of them hears something.</summary>
    private async Task CompleteAsync(LedgerTurn turn)
    {
        try
        {
            _statements.Fill(turn.Operations);
            var outcomes = await _pipeline.ExecuteAsync(async token => await TransactAsync(turn, token));
            LedgerTelemetry.TurnOperations.Record(outcomes.Length);
            turn.Succeed(outcomes);
        }
        catch (PostgresException e) when (e.SqlState == LedgerFaults.FencedSqlState)
        {
            LogFenced(_logger, turn.Term.Pool.Value, turn.Term.Epoch, turn.Submissions.Count);
            turn.Fail(new LeaderFencedException(turn.Term));
        }
        catch (Exception e) when (e is LedgerUnavailableException || LedgerFaults.IsUnavailable(e))
        {
            LogUnavailable(_logger, e, turn.Submissions.Count);
            turn.Fail(e as LedgerUnavailableException ?? LedgerFaults.Unavailable(e));
        }
        catch (Exception) when (turn.Submissions.Count > 1)
        {
            var (first, second) = turn.Halve();
            await CompleteAsync(first);
            await CompleteAsync(second);
        }
        catch (Exception e)
        {
            LogRejected(_logger, e);
            turn.Fail(new InvalidOperationException($"The ledger rejected an operation: {e.Message}", e));
        }
    }

    private async Task<LedgerOutcome[]> TransactAsync(LedgerTurn turn, CancellationToken cancellationToken)
    {
        using var activity = LedgerTelemetry.StartTurn(turn);
        var connection = await ConnectionAsync(cancellationToken);
        try
        {
            var number = turn.Number ??= await _numbers.NextAsync(turn.Term, connection, cancellationToken);
            try
            {
                return await ExecuteAsync(turn, number, connection, cancellationToken);
            }
            catch (PostgresException e) when (e.SqlState == TurnNumbers.DoneSqlState && !turn.IsInDoubt)
            {
                // Another instance writes under the same term and has used the number.
                _numbers.Forget(turn.Term);
                turn.Number = null;
                return await TransactAsync(turn, cancellationToken);
            }
            catch (PostgresException e)
                when (turn.IsInDoubt && e.SqlState is TurnNumbers.DoneSqlState or LedgerFaults.FencedSqlState)
            {
                var last = await TurnNumbers.LastAsync(turn.Term, connection, cancellationToken);
                if (last < number)
                    throw;
                if (last > number)
                    throw new LedgerUnavailableException(
                        $"Turn {number} was followed by turn {last} of another writer."
                    );
                return await LostTurn.ReadAsync(turn.Term, number, turn.Operations, connection, cancellationToken);
            }
        }
        catch (NpgsqlException e) when (LedgerFaults.IsConnectionLoss(e))
        {
            turn.IsInDoubt |= turn.Number is not null;
            await DropConnectionAsync();
            throw;
        }
        catch (OperationCanceledException)
        {
            await DropConnectionAsync();
            throw;
        }
    }

    private async Task<LedgerOutcome[]> ExecuteAsync(
        LedgerTurn turn,
        long number,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(TurnNumbers.Open(turn.Term, number));
        _statements.AddTo(batch, turn.Term);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await _statements.ReadAsync(reader, cancellationToken);
    }

    private async Task<NpgsqlConnection> ConnectionAsync(CancellationToken cancellationToken)
    {
        if (_connection is { FullState: System.Data.ConnectionState.Open } open)
            return open;
        await DropConnectionAsync();
        return _connection = await _source.OpenConnectionAsync(cancellationToken);
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        await connection.DisposeAsync();
    }
}
