using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// A Postgres server of this fleet's own: made at first use, adopted when it outlived its silo, stopped at disposal.
/// <para>
/// Protocol: (1) take the lock beside the data directory, held until disposal; (2) initialise into a side folder and
/// move it into place; (3) a live postmaster of exactly this directory is adopted when it answers with our password,
/// else stopped; orphaned backends are ended and a stale <c>postmaster.pid</c> removed; (4) start on a loopback port.
/// kill -9 of the silo leaves the server running for the next silo; kill -9 of both leaves the log to replay.
/// </para>
/// </summary>
public sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    private readonly ILogger _logger;
    private readonly PostgresServer _server;
    private readonly PostgresDataDirectory _data;
    private readonly FileStream _lock;
    private bool _disposed;

    private EmbeddedPostgres(
        ILogger logger,
        PostgresServer server,
        PostgresDataDirectory data,
        FileStream heldLock,
        string connectionString,
        bool adopted
    )
    {
        (_logger, _server, _data, _lock) = (logger, server, data, heldLock);
        (ConnectionString, Adopted) = (connectionString, adopted);
    }

    /// <summary>For Npgsql and Orleans' AdoNet providers. Holds the password: never log it.</summary>
    public string ConnectionString { get; }

    /// <summary>True when the server had outlived an earlier silo.</summary>
    public bool Adopted { get; }

    /// <summary>Makes, adopts or starts the server of <see cref="EmbeddedPostgresOptions.DataDirectory"/>.</summary>
    /// <exception cref="EmbeddedPostgresException">It cannot serve; nothing is left running.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        EmbeddedPostgresOptions options,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            var data = new PostgresDataDirectory(options.DataDirectory);
            var held = data.Lock();
            try
            {
                return await StartLockedAsync(options, data, held, logger, cancellationToken);
            }
            catch
            {
                await held.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw PostgresDataDirectory.Unusable($"{options.DataDirectory}: {e.Message}", e);
        }
    }

    /// <summary>Stops the server that a killed silo left behind. False when none was running.</summary>
    /// <exception cref="EmbeddedPostgresException">A live silo owns the directory, or the server does not stop.</exception>
    public static async Task<bool> StopAsync(string dataDirectory, ILogger logger, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(dataDirectory))
            return false;
        var data = new PostgresDataDirectory(dataDirectory);
        await using var held = data.Lock();
        var running = await PostgresProcesses.InAsync(data.Path, cancellationToken);
        if (running.Count == 0)
            return false;
        var binaries = await PostgresBinaries.FindAsync(data.Major(), cancellationToken);
        var account = await PostgresAccount.ResolveAsync(cancellationToken);
        await new PostgresServer(data, binaries, account).StopAsync();
        LogStopped(logger, data.Path);
        return true;
    }

    /// <summary>Fast stop: clients are disconnected, a checkpoint is written, the lock is released.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            await _server.StopAsync();
            LogStopped(_logger, _data.Path);
        }
        finally
        {
            await _lock.DisposeAsync();
        }
    }

    private static async Task<EmbeddedPostgres> StartLockedAsync(
        EmbeddedPostgresOptions options,
        PostgresDataDirectory data,
        FileStream held,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var since = Stopwatch.GetTimestamp();
        var major = data.Major();
        var binaries = await ChooseAsync(options, major, cancellationToken);
        var account = await PostgresAccount.ResolveAsync(cancellationToken);
        var server = new PostgresServer(data, binaries, account);
        var password = data.Password(clusterExists: major is not null);
        if (major is null)
        {
            LogInitializing(logger, data.Path, binaries.Major, binaries.Directory);
            await server.InitializeAsync(cancellationToken);
        }
        var adoptedPort = await AdoptAsync(data, server, password, logger, cancellationToken);
        var port = adoptedPort ?? await server.StartAsync(options.Port, options.Settings, cancellationToken);
        try
        {
            var connectionString = PostgresEndpoint.ConnectionString(port, password, options.Database);
            await PostgresEndpoint.EnsureDatabaseAsync(connectionString, cancellationToken);
            LogReady(logger, adoptedPort is null ? "started" : "adopted", port, Elapsed(since));
            return new EmbeddedPostgres(logger, server, data, held, connectionString, adoptedPort is not null);
        }
        catch
        {
            await server.StopAsync();
            throw;
        }
    }

    /// <summary>The port of the live postmaster, or null when none is left and the directory is free to start.</summary>
    private static async Task<int?> AdoptAsync(
        PostgresDataDirectory data,
        PostgresServer server,
        string password,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        if (PostmasterFile.Read(data.Path) is not { } file)
            return null;
        var answer = await PostgresEndpoint.AskAsync(file, password, data.Path, cancellationToken);
        if (answer == PostgresAnswer.Ours)
            return file.Port;
        if (answer == PostgresAnswer.Gone)
            LogStale(logger, file.ProcessId, data.Path);
        else
            LogUnresponsive(logger, file.ProcessId, data.Path);
        await server.StopAsync();
        PostgresProcesses.RemoveStale(data.Path, file.ProcessId);
        return null;
    }

    private static async Task<PostgresBinaries> ChooseAsync(
        EmbeddedPostgresOptions options,
        int? major,
        CancellationToken cancellationToken
    )
    {
        if (options.Binaries is not { } given)
            return await PostgresBinaries.FindAsync(major, cancellationToken);
        return major is null || major == given.Major
            ? given
            : throw new EmbeddedPostgresException(
                EmbeddedPostgresFault.VersionMismatch,
                $"The data directory belongs to PostgreSQL {major}, the binaries in {given.Directory} are {given.Major}."
            );
    }

    private static double Elapsed(long since) => Math.Round(Stopwatch.GetElapsedTime(since).TotalSeconds, 2);
}
