using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Benchmarks.Peer;

/// <summary>
/// A Redis server of the benchmark's own with an append-only file. <c>everysec</c> is its default: a crash of the machine
/// loses up to a second of what it acknowledged. <c>always</c> flushes before it acknowledges, as our ledger does.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly Process _process;

    private RedisServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <exception cref="FleetFailure">It is not installed, or does not start.</exception>
    public static async Task<RedisServer> StartAsync(
        string folder,
        string appendFsync,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        Directory.CreateDirectory(folder);
        var port = FreePort();
        var arguments =
            $"--bind 127.0.0.1 --port {port} --dir {folder} --save --appendonly yes --appendfsync {appendFsync} --logfile redis.log";
        var server = new RedisServer(Start(arguments), port);
        try
        {
            await server.UntilOpenAsync(clock, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Native.Signal(_process.Id, Native.SigTerm);
            using var limit = new CancellationTokenSource(Limits.StopGrace);
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill();
        }
        _process.Dispose();
    }

    private static Process Start(string arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("redis-server", arguments) { UseShellExecute = false })!;
        }
        catch (Win32Exception)
        {
            throw new FleetFailure(
                "redis-server is missing, on which BullMQ runs.",
                OperatingSystem.IsMacOS() ? "brew install redis" : "sudo apt-get install redis-server"
            );
        }
    }

    private async Task UntilOpenAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            if (_process.HasExited)
                throw new FleetFailure($"redis-server ended with status {_process.ExitCode}.");
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
                return;
            }
            catch (SocketException) when (clock.GetElapsedTime(start) < Limits.RedisStartTimeout)
            {
                await Task.Delay(Limits.LookInterval, clock, cancellationToken);
            }
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
