using EgpuFleet.Silo.Postgres;
using Npgsql;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Failures of a start that a person can do something about, each as one line.</summary>
public static class StartupFailure
{
    /// <summary>The line and the exit code; null for a failure that needs its stack trace.</summary>
    public static StartupException? Describe(Exception exception) =>
        exception switch
        {
            StartupException known => known,
            EmbeddedPostgresException or SchemaTooNewException or MigrationFailedException => new(exception.Message),
            NpgsqlException => new($"The database cannot be used: {exception.Message}"),
            UnauthorizedAccessException or IOException => new(exception.Message),
            OperationCanceledException => new("Stopped before it had started."),
            _ => null,
        };
}
