using System.Threading.Channels;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;
using Polly;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// Group commit: one loop drains what callers have queued, up to a bound, into one transaction, and so pays one disk
/// flush for all of them.
/// <para>
/// Protocol of a turn: one round trip asserts the leader's term (which aborts everything when it is over), carries out
/// the operations in order and brings back their outcomes with the transaction's id; a second one commits. A
/// connection lost before the commit was sent means nothing was written, and the turn is run again. One lost during
/// the commit is looked up by the transaction's id, which the server knows even after a crash: committed (the
/// outcomes hold) or aborted (run again). A caller is told "unavailable" only where neither can be learned in time.
/// </para>
/// <para>
/// An operation that the database rejects as invalid fails its own submission only: the turn is then run again with
/// each submission in a transaction of its own.
/// </para>
/// </summary>
internal sealed partial class LedgerWriter : IAsyncDisposable
{
    private readonly Channel<LedgerSubmission> _queue = Channel.CreateBounded<LedgerSubmission>(
        new BoundedChannelOptions(Limits.LedgerQueueLength) { SingleReader = true, SingleWriter = false }
    );
    private readonly NpgsqlDataSource _source;
    private readonly ResiliencePipeline _pipeline;
    private readonly LedgerCommits _commits;
    private readonly ILogger _logger;
    private readonly Task _loop;
    private NpgsqlConnection? _connection;

    public LedgerWriter(NpgsqlDataSource source, ResiliencePipeline pipeline, ILogger logger)
    {
        (_source, _pipeline, _logger) = (source, pipeline, logger);
        _commits = new LedgerCommits(source, pipeline);
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
            await _queue.Writer.WriteAsync(submission, cancellationToken);
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
        _queue.Writer.TryComplete();
        await _loop;
        if (_connection is not null)
            await _connection.DisposeAsync();
    }

    private async Task RunAsync()
    {
        await foreach (var first in _queue.Reader.ReadAllAsync())
        {
            var turn = new LedgerTurn(first);
            while (_queue.Reader.TryPeek(out var next) && turn.Fits(next))
            {
                _ = _queue.Reader.TryRead(out _);
                turn.Add(next);
            }
            await CompleteAsync(turn);
        }
    }

    /// <summary>Carries a turn out and tells its callers; whatever happens, each of them hears something.</summary>
    private async Task CompleteAsync(LedgerTurn turn)
    {
        try
        {
            var outcomes = await _pipeline.ExecuteAsync(async token => await TransactAsync(turn, token));
            LedgerTelemetry.TurnOperations.Record(outcomes.Count);
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
            foreach (var submission in turn.Submissions)
                await CompleteAsync(new LedgerTurn(submission));
        }
        catch (Exception e)
        {
            LogRejected(_logger, e);
            turn.Fail(new InvalidOperationException($"The ledger rejected an operation: {e.Message}", e));
        }
    }

    private async Task<List<LedgerOutcome>> TransactAsync(LedgerTurn turn, CancellationToken cancellationToken)
    {
        using var activity = LedgerTelemetry.StartTurn(turn);
        var connection = await ConnectionAsync(cancellationToken);
        // Both are set just before the commit is sent: from there on, losing the connection leaves the outcome unknown.
        string? transactionId = null;
        List<LedgerOutcome> outcomes = [];
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using var batch = BatchOf(turn, connection, transaction);
            await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
                (transactionId, outcomes) = await ReadAsync(turn, reader, cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            return outcomes;
        }
        catch (NpgsqlException e) when (LedgerFaults.IsConnectionLoss(e))
        {
            await DropConnectionAsync();
            if (transactionId is not null && await _commits.IsCommittedAsync(transactionId, cancellationToken))
                return outcomes;
            throw;
        }
        catch (OperationCanceledException)
        {
            await DropConnectionAsync();
            throw;
        }
    }

    private static NpgsqlBatch BatchOf(LedgerTurn turn, NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(LedgerStatements.Guard(turn.Term));
        foreach (var operation in turn.Operations)
            batch.BatchCommands.Add(LedgerStatements.For(turn.Term, operation));
        return batch;
    }

    private static async Task<(string TransactionId, List<LedgerOutcome> Outcomes)> ReadAsync(
        LedgerTurn turn,
        NpgsqlDataReader reader,
        CancellationToken cancellationToken
    )
    {
        await reader.ReadAsync(cancellationToken);
        var transactionId = reader.GetString(0);
        var outcomes = new List<LedgerOutcome>();
        foreach (var operation in turn.Operations)
        {
            await reader.NextResultAsync(cancellationToken);
            outcomes.Add(await LedgerStatements.ReadAsync(operation, reader, cancellationToken));
        }
        return (transactionId, outcomes);
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
