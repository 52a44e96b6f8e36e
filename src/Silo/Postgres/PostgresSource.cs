using Microsoft.Extensions.Logging;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// The database of this silo: the server that <c>EGPUFLEET_POSTGRES</c> names, else an embedded one. Either way it is
/// migrated to this binary's schema. Disposal stops only what this silo started or adopted.
/// </summary>
public sealed class PostgresSource : IAsyncDisposable
{
    public const string EnvironmentName = "EGPUFLEET_POSTGRES";

    private readonly EmbeddedPostgres? _embedded;

    private PostgresSource(string connectionString, EmbeddedPostgres? embedded) =>
        (ConnectionString, _embedded) = (connectionString, embedded);

    /// <summary>Holds a password: never log it.</summary>
    public string ConnectionString { get; }

    public bool IsEmbedded => _embedded is not null;

    /// <param name="given">Connection string of a server to use; null or empty starts the embedded one.</param>
    /// <exception cref="EmbeddedPostgresException">The embedded server cannot serve.</exception>
    /// <exception cref="SchemaTooNewException">A newer binary has migrated this database.</exception>
    public static async Task<PostgresSource> OpenAsync(
        string? given,
        EmbeddedPostgresOptions embedded,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        if (!string.IsNullOrWhiteSpace(given))
        {
            await Migrator.MigrateAsync(given, logger, cancellationToken);
            return new PostgresSource(given, embedded: null);
        }
        var server = await EmbeddedPostgres.StartAsync(embedded, logger, cancellationToken);
        try
        {
            await Migrator.MigrateAsync(server.ConnectionString, logger, cancellationToken);
            return new PostgresSource(server.ConnectionString, server);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _embedded?.DisposeAsync() ?? ValueTask.CompletedTask;
}
