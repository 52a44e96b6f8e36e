using System.Net.Sockets;
using EgpuFleet.Kernels.Engines;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>
/// The worker's end of the protocol. It listens before the engine is open, so that an agent sees the states. Blocking engine
/// calls run on threads of their own; reading never waits for them, so cancel and stats are answered meanwhile.
/// <para>
/// Life: while at least one agent that said hello is connected, it lives. When the last one is lost, its generations are
/// cancelled and the models kept for <see cref="WorkerHostOptions.KeepFor"/>; a hello with the same credential within that time
/// goes on with them, else the host ends. The same time runs from the start until the first hello.
/// </para>
/// </summary>
public sealed partial class WorkerHost : IAsyncDisposable
{
    private readonly WorkerHostOptions options;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private readonly ITimer keepTimer;
    private readonly Lock gate = new();
    private readonly HashSet<WorkerConnection> connections = [];
    private int agents;

    public WorkerHost(IKernelEngine engine, WorkerHostOptions options, TimeProvider time, ILogger<WorkerHost> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        this.options = options;
        this.logger = logger;
        this.time = time;
        Engine = new WorkerEngine(engine, time);
        keepTimer = time.CreateTimer(_ => EndUnlessAdopted(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal WorkerEngine Engine { get; }

    internal bool NoopFaults => options.NoopFaults;

    /// <summary>Serves until shutdown, loss of all agents, or the token.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: the socket path cannot be listened on.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var listener = Listen(options.SocketPath);
        using var registration = cancellationToken.Register(Stop);
        LogListening(options.SocketPath);
        keepTimer.Change(options.KeepFor, Timeout.InfiniteTimeSpan);
        var opening = OpenEngineAsync();
        try
        {
            await AcceptAsync(listener);
        }
        finally
        {
            File.Delete(options.SocketPath);
            await EndConnectionsAsync();
            await Engine.CloseAsync(opening);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await keepTimer.DisposeAsync();
        Engine.Dispose();
        stopping.Dispose();
    }

    internal bool CredentialMatches(string offered) => WorkerCredential.Equal(offered, options.Credential);

    /// <summary>Called once per connection, after a good hello.</summary>
    internal void AgentArrived()
    {
        lock (gate)
        {
            agents++;
            keepTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    internal void Stop() => stopping.Cancel();

    private static Socket Listen(string path)
    {
        var endPoint = WorkerSocket.EndPoint(path);
        RemoveStale(path, endPoint);
        var listener = WorkerSocket.Create();
        try
        {
            listener.Bind(endPoint);
            // Nobody can connect between bind and listen, so the mode holds from the first connection on.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(Limits.Connections);
            return listener;
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"Cannot listen at '{path}': {exception.Message}",
                innerException: exception
            );
        }
    }

    /// <summary>A socket file that nobody listens on is what a killed worker left.</summary>
    private static void RemoveStale(string path, UnixDomainSocketEndPoint endPoint)
    {
        if (!File.Exists(path))
            return;
        using var probe = WorkerSocket.Create();
        try
        {
            probe.Connect(endPoint);
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }
        throw new EngineException(EngineErrorClass.InvalidRequest, $"Another worker listens at '{path}'.");
    }

    private async Task OpenEngineAsync()
    {
        try
        {
            await Engine.OpenAsync(stopping.Token);
            LogOpened(Engine.Identity.Name, Engine.Identity.Version);
        }
        catch (EngineException exception)
        {
            LogOpenFailed(exception);
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!stopping.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            WorkerConnection connection;
            lock (gate)
            {
                if (connections.Count >= Limits.Connections)
                {
                    socket.Dispose();
                    continue;
                }
                connection = new WorkerConnection(this, socket, time, logger);
                connections.Add(connection);
            }
            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(WorkerConnection connection)
    {
        await using (connection)
            await connection.RunAsync(stopping.Token);
        lock (gate)
        {
            connections.Remove(connection);
            if (!connection.Authenticated || --agents > 0)
                return;
            LogAgentLost(options.KeepFor.TotalSeconds);
            keepTimer.Change(options.KeepFor, Timeout.InfiniteTimeSpan);
        }
    }

    private void EndUnlessAdopted()
    {
        lock (gate)
        {
            if (agents > 0)
                return;
        }
        LogNotAdopted();
        Stop();
    }

    private async Task EndConnectionsAsync()
    {
        Task[] open;
        lock (gate)
            open = [.. connections.Select(connection => connection.Ended)];
        await Task.WhenAll(open).WaitAsync(Limits.StopTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
