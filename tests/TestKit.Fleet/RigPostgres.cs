using System.Globalization;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>The rig's own Postgres server, durable as in production, on one port for its whole life; it can be crashed.</summary>
public sealed class RigPostgres : IAsyncDisposable
{
    private readonly EmbeddedPostgresOptions kept;
    private EmbeddedPostgres server;

    private RigPostgres(EmbeddedPostgresOptions options, EmbeddedPostgres server)
    {
        kept = options with { Port = new NpgsqlConnectionStringBuilder(server.ConnectionString).Port };
        this.server = server;
        ConnectionString = server.ConnectionString;
        Database = NpgsqlDataSource.Create(ConnectionString + ";Application Name=rig");
    }

    /// <summary>Holds the password: for environments of child processes only.</summary>
    public string ConnectionString { get; }

    public NpgsqlDataSource Database { get; }

    public static async Task<RigPostgres> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var options = new EmbeddedPostgresOptions
        {
            DataDirectory = Path.Combine(folder, "postgres", "data"),
            // Several silos share it, each with pools of its own.
            Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["max_connections"] = "250" },
        };
        return new RigPostgres(
            options,
            await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, cancellationToken)
        );
    }

    private int Postmaster =>
        int.Parse(
            File.ReadLines(Path.Combine(kept.DataDirectory, "postmaster.pid")).First(),
            CultureInfo.InvariantCulture
        );

    /// <summary>Immediate stop: every backend ends at once, nothing is flushed; the next start replays the log.</summary>
    public async Task CrashAsync(CancellationToken cancellationToken)
    {
        var postmaster = Postmaster;
        Signals.Send(postmaster, Signals.Quit);
        await UntilGoneAsync(postmaster, cancellationToken);
    }

    /// <summary>SIGKILL of the server and of every process it has started.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        var postmaster = Postmaster;
        foreach (var process in await Leftovers.TreeOfAsync(postmaster))
            Signals.Send(process, Signals.Kill);
        await UntilGoneAsync(postmaster, cancellationToken);
    }

    /// <summary>Starts it again on the same port.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        // Ends what is left of the crashed one and gives its lock back.
        await server.DisposeAsync();
        server = await EmbeddedPostgres.StartAsync(kept, NullLogger.Instance, cancellationToken);
    }

    /// <summary>Ends every backend of the fleet. Returns how many.</summary>
    public async Task<long> CutConnectionsAsync(CancellationToken cancellationToken)
    {
        await using var cut = Database.CreateCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name <> 'rig' and backend_type = 'client backend'"
        );
        return (long)(await cut.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task UntilGoneAsync(int postmaster, CancellationToken cancellationToken)
    {
        while (Signals.Send(postmaster, 0))
            await Task.Delay(TimeSpan.FromMilliseconds(10), cancellationToken);
        // Ours ended with it.
        Database.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await server.DisposeAsync();
    }
}
