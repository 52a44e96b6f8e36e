using System.Reflection;
using System.Text.RegularExpressions;
using DbUp;
using DbUp.Engine;
using DbUp.Postgresql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>A newer binary has migrated this database: an older one must not write to a schema it does not know.</summary>
public sealed class SchemaTooNewException(IReadOnlyList<string> unknown)
    : Exception(
        $"The database was migrated by a newer version of EgpuFleet ({string.Join(", ", unknown)}). "
            + "Run that version or newer."
    )
{
    /// <summary>Names of the applied migrations that this binary lacks.</summary>
    public IReadOnlyList<string> Unknown { get; } = unknown;
}

/// <summary>A migration failed; it was rolled back, and so were none of those before it.</summary>
public sealed class MigrationFailedException(string script, Exception inner)
    : Exception($"Migration {script} failed and was rolled back: {inner.Message}", inner);

/// <summary>
/// Brings a database to the schema of this binary: the embedded <c>NNN_name.sql</c> in order, each once, each in one
/// transaction. Silos that start together take turns by an advisory lock.
/// </summary>
public static partial class Migrator
{
    /// <summary>Any constant that nothing else in the database locks; the letters "fleet" as a number.</summary>
    private const long AdvisoryLock = 0x66_6c_65_65_74;

    /// <exception cref="SchemaTooNewException">The database is newer than this binary.</exception>
    /// <exception cref="MigrationFailedException">A script failed; earlier ones stay applied.</exception>
    public static async Task MigrateAsync(string connectionString, ILogger logger, CancellationToken cancellationToken)
    {
        var direct = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            CommandTimeout = (int)Limits.MigrationTimeout.TotalSeconds,
        };
        await using var turn = new NpgsqlConnection(direct.ConnectionString);
        await turn.OpenAsync(cancellationToken);
        await using (var wait = new NpgsqlCommand("select pg_advisory_lock($1)", turn))
        {
            wait.Parameters.Add(new() { Value = AdvisoryLock });
            await wait.ExecuteNonQueryAsync(cancellationToken);
        }
        // The scripts run to their end: a half-cancelled migration would only be rolled back and run again.
        await Task.Run(() => Apply(direct.ConnectionString, logger), cancellationToken);
    }

    private static void Apply(string connectionString, ILogger logger)
    {
        var engine = DeployChanges
            .To.PostgresqlDatabase(new PostgresqlConnectionManager(connectionString))
            .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => NumberedScript().IsMatch(name))
            .WithVariablesDisabled()
            .WithTransactionPerScript()
            .WithExecutionTimeout(Limits.MigrationTimeout)
            .LogToNowhere()
            .Build();
        var unknown = engine.GetExecutedButNotDiscoveredScripts();
        if (unknown.Count > 0)
            throw new SchemaTooNewException(unknown);
        var pending = engine.GetScriptsToExecute();
        if (pending.Count == 0)
            return;
        engine.ScriptExecuted += (_, applied) => LogApplied(logger, ((ScriptExecutedEventArgs)applied).Script.Name);
        var result = engine.PerformUpgrade();
        if (!result.Successful)
            throw new MigrationFailedException(result.ErrorScript?.Name ?? "journal", result.Error);
    }

    [GeneratedRegex(@"\A\d{3}_[a-z0-9_]+\.sql\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NumberedScript();

    [LoggerMessage(Level = LogLevel.Information, Message = "Migration {Script} applied")]
    private static partial void LogApplied(ILogger logger, string script);
}
