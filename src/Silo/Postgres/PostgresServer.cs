using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// The server tools at work on one data directory whose lock the caller holds. The postmaster runs in a session of
/// its own (pg_ctl sees to that), so neither Ctrl-C in the terminal nor the death of this process ends it.
/// </summary>
internal sealed class PostgresServer(PostgresDataDirectory data, PostgresBinaries binaries, PostgresAccount account)
{
    public const string Superuser = "egpufleet";

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        data.PrepareInitializing();
        await account.TakeAsync(data.InitializingPath, cancellationToken);
        var command = account.Command(
            binaries.Initialize,
            $"--pgdata={data.InitializingPath}",
            $"--username={Superuser}",
            $"--pwfile={data.PasswordFile}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C"
        );
        var result = await RunAsync(command, Limits.PostgresInitializeTimeout, cancellationToken);
        if (result.ExitCode != 0)
            throw Failed($"initdb failed ({result.ExitCode}):\n{result.Output}");
        data.CommitInitializing();
    }

    /// <summary>Starts the postmaster and waits until it accepts connections. Returns its port.</summary>
    public async Task<int> StartAsync(
        int? fixedPort,
        IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken
    )
    {
        data.TrimLog();
        for (var attempt = 1; ; attempt++)
        {
            var port = fixedPort ?? FreePort();
            var logged = data.LogLength();
            var result = await LaunchAsync(port, settings, cancellationToken);
            if (result.ExitCode == 0)
                return port;
            var log = data.LogSince(logged);
            var portTaken = fixedPort is null && log.Contains("could not bind", StringComparison.Ordinal);
            var orphansLeft = log.Contains("pre-existing shared memory block", StringComparison.Ordinal);
            if (attempt == Limits.PostgresStartAttemptsMax || !(portTaken || orphansLeft))
                throw Failed($"Postgres did not start in {data.Path}:\n{(log.Length > 0 ? log : result.Output)}");
            if (orphansLeft)
                await PostgresProcesses.EndAsync(data.Path, Limits.PostgresOrphanGrace, cancellationToken);
        }
    }

    /// <summary>
    /// Fast stop; where that takes too long, immediate stop (the next start then replays the log). A postmaster that is
    /// dead already leaves at most backends, which are ended.
    /// </summary>
    public async Task StopAsync()
    {
        foreach (var mode in new[] { "fast", "immediate" })
        {
            var running = await PostgresProcesses.InAsync(data.Path, CancellationToken.None);
            if (PostmasterFile.Read(data.Path) is not { } file || !running.Contains(file.ProcessId))
                break;
            var seconds = Seconds(Limits.PostgresStopTimeout);
            var command = account.Command(binaries.Control, "stop", "-D", data.Path, "-w", "-t", seconds, "-m", mode);
            var grace = Limits.PostgresStopTimeout + Limits.PostgresToolTimeout;
            await RunAsync(command, grace, CancellationToken.None);
        }
        await PostgresProcesses.EndAsync(data.Path, Limits.PostgresOrphanGrace, CancellationToken.None);
    }

    private async Task<PostgresCommandResult> LaunchAsync(
        int port,
        IReadOnlyDictionary<string, string> settings,
        CancellationToken cancellationToken
    )
    {
        var command = account.Command(
            binaries.Control,
            "start",
            "-D",
            data.Path,
            "-w",
            "-t",
            Seconds(Limits.PostgresStartTimeout),
            "-l",
            data.LogFile,
            "-o",
            PostgresSettings.Arguments(port, settings)
        );
        try
        {
            var grace = Limits.PostgresStartTimeout + Limits.PostgresToolTimeout;
            return await RunAsync(command, grace, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The postmaster may be up already, in its own session: it must not outlive a cancelled start.
            if (PostmasterFile.Read(data.Path) is not null)
                await StopAsync();
            throw;
        }
    }

    private static async Task<PostgresCommandResult> RunAsync(
        IReadOnlyList<string> command,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await PostgresCommand.RunAsync(command, timeout, cancellationToken);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or TimeoutException)
        {
            throw new EmbeddedPostgresException(EmbeddedPostgresFault.StartFailed, $"{command[0]}: {e.Message}", e);
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string Seconds(TimeSpan time) => ((int)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static EmbeddedPostgresException Failed(string message) => new(EmbeddedPostgresFault.StartFailed, message);
}
