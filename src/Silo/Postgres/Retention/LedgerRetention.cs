using Npgsql;

namespace EgpuFleet.Silo.Postgres.Retention;

/// <summary>Moves finished jobs out of the way, a bounded batch in each transaction, so that the ledger works on as it goes.</summary>
internal sealed class LedgerRetention(NpgsqlDataSource source)
{
    public async Task<RetentionPass> RunAsync(RetentionRules rules, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            var now = await NowAsync(connection, cancellationToken);
            return new RetentionPass(
                await ArchiveAsync(connection, now - rules.FinishedJobs, cancellationToken),
                await RepeatAsync(connection, RetentionSql.Forget, now - rules.ArchivedJobs, cancellationToken),
                await RepeatAsync(connection, RetentionSql.ExpireKeys, now - rules.IdempotencyKeys, cancellationToken)
            );
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    private static async Task<DateTime> NowAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(RetentionSql.Now, connection);
        return (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<int> ArchiveAsync(
        NpgsqlConnection connection,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        var archived = 0;
        for (var after = Guid.Empty; ; )
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var jobs = await FindAsync(connection, after, before, cancellationToken);
            if (jobs.Length == 0)
                return archived;
            await using var batch = new NpgsqlBatch(connection, transaction);
            foreach (var sql in RetentionSql.Remove.Prepend(RetentionSql.Archive))
                batch.BatchCommands.Add(new(sql) { Parameters = { new() { Value = jobs } } });
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            archived += jobs.Length;
            after = jobs[^1];
        }
    }

    private static async Task<Guid[]> FindAsync(
        NpgsqlConnection connection,
        Guid after,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(RetentionSql.Find, connection)
        {
            Parameters =
            {
                new() { Value = after },
                new() { Value = before },
                new() { Value = Limits.RetentionBatchJobs },
                new() { Value = Limits.RetentionBatchItems },
            },
        };
        var found = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            found.Add(reader.GetGuid(0));
        return [.. found];
    }

    private static async Task<int> RepeatAsync(
        NpgsqlConnection connection,
        string sql,
        DateTime before,
        CancellationToken cancellationToken
    )
    {
        for (var removed = 0; ; )
        {
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters =
                {
                    new() { Value = before },
                    new() { Value = Limits.RetentionBatchJobs },
                },
            };
            var batch = await command.ExecuteNonQueryAsync(cancellationToken);
            removed += batch;
            if (batch < Limits.RetentionBatchJobs)
                return removed;
        }
    }
}
