using EgpuFleet.Grains.Ports;
using Npgsql;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Learns what became of a commit whose connection was lost, from the server's own record of its transactions.</summary>
internal sealed class LedgerCommits(NpgsqlDataSource source, ResiliencePipeline pipeline)
{
    /// <summary>The old backend may not yet have noticed that its client is gone: then the transaction is still open.</summary>
    private static readonly ResiliencePipeline<string?> UntilDecided = new ResiliencePipelineBuilder<string?>()
        .AddRetry(
            new RetryStrategyOptions<string?>
            {
                ShouldHandle = new PredicateBuilder<string?>().HandleResult("in progress"),
                MaxRetryAttempts = 100,
                Delay = TimeSpan.FromMilliseconds(5),
                MaxDelay = TimeSpan.FromMilliseconds(200),
                BackoffType = DelayBackoffType.Exponential,
            }
        )
        .Build();

    /// <exception cref="LedgerUnavailableException">It cannot be learned now; the write must be read again before it is repeated.</exception>
    public async Task<bool> IsCommittedAsync(string transactionId, CancellationToken cancellationToken)
    {
        string? status;
        try
        {
            status = await UntilDecided.ExecuteAsync(
                async token => await pipeline.ExecuteAsync(async t => await StatusAsync(transactionId, t), token),
                cancellationToken
            );
        }
        // A server that crashed before the id reached its disk has never heard of it; that too is read again, not guessed.
        catch (Exception e) when (LedgerFaults.IsUnavailable(e) || e is PostgresException)
        {
            throw LedgerFaults.Unavailable(e);
        }
        return status switch
        {
            "committed" => true,
            "aborted" => false,
            _ => throw new LedgerUnavailableException($"Transaction {transactionId} is {status ?? "forgotten"}."),
        };
    }

    private async Task<string?> StatusAsync(string transactionId, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(LedgerSql.TransactionStatus);
        command.Parameters.Add(
            new NpgsqlParameter { Value = transactionId, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Unknown }
        );
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }
}
