using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>
/// A whole fleet of real processes on a data directory and a port of its own: <c>fleet up</c> in the foreground, two
/// agents unless said otherwise. Disposing it is <c>fleet down</c>.
/// </summary>
internal sealed class FleetUnderTest : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly int _agents;
    private readonly StringBuilder _output = new();
    private Process? _supervisor;

    private FleetUnderTest(Dictionary<string, string> environment, int agents)
    {
        _environment = environment;
        _agents = agents;
        DataDirectory = Directory.CreateTempSubdirectory("egpufleet-e2e-").FullName;
        Port = FreePort();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}"), Timeout = TimeSpan.FromMinutes(3) };
        Client = new FleetClient(Http);
    }

    public string DataDirectory { get; }

    public int Port { get; }

    public HttpClient Http { get; }

    public FleetClient Client { get; }

    public int SupervisorProcessId => _supervisor!.Id;

    /// <param name="prepare">Told the data directory before anything is started.</param>
    public static async Task<FleetUnderTest> StartAsync(
        CancellationToken cancellationToken,
        int agents = 2,
        Dictionary<string, string>? environment = null,
        Action<string>? prepare = null
    )
    {
        var fleet = new FleetUnderTest(environment ?? [], agents);
        prepare?.Invoke(fleet.DataDirectory);
        try
        {
            await fleet.UpAsync(cancellationToken);
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
        return fleet;
    }

    /// <summary><c>fleet up</c>; returns when it says that the fleet is ready.</summary>
    public async Task UpAsync(CancellationToken cancellationToken)
    {
        _supervisor = CommandLine.Start(
            _environment,
            "up",
            "--data",
            DataDirectory,
            "--port",
            Port.ToString(),
            "--agents",
            _agents.ToString()
        );
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pumps = Task.WhenAll(Pump(_supervisor.StandardOutput, ready), Pump(_supervisor.StandardError, ready));
        await Task.WhenAny(ready.Task, pumps).WaitAsync(cancellationToken);
        if (!ready.Task.IsCompleted)
            throw new InvalidOperationException($"fleet up ended before it was ready:{Environment.NewLine}{Output()}");
    }

    /// <summary>Registers a model from a file.</summary>
    public async Task<ModelInfo> AddModelAsync(string name, string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return await Client.AddModelAsync(name, file, cancellationToken);
    }

    /// <summary>Follows a job to its end; every update passes through <paramref name="see"/>.</summary>
    public async Task<JobInfo> WaitForJobAsync(
        string id,
        CancellationToken cancellationToken,
        Action<JobUpdate>? see = null
    )
    {
        await foreach (var update in Client.WatchJobAsync(id, null, cancellationToken))
            see?.Invoke(update);
        return await Client.GetJobAsync(id, cancellationToken);
    }

    public async Task<List<ResultLine>> ReadResultsAsync(string id, CancellationToken cancellationToken)
    {
        var results = new List<ResultLine>();
        await foreach (var line in Client.ReadResultsAsync(id, cancellationToken))
            results.Add(line);
        return results;
    }

    /// <summary>Waits for <c>fleet up</c> to end by itself.</summary>
    public Task WaitForSupervisorExitAsync(CancellationToken cancellationToken) =>
        _supervisor!.WaitForExitAsync(cancellationToken);

    public async Task<CommandResult> DownAsync(CancellationToken cancellationToken) =>
        await CommandLine.RunAsync(cancellationToken, "down", "--data", DataDirectory);

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var down = await DownAsync(limit.Token);
        Http.Dispose();
        _supervisor?.Dispose();
        if (down.ExitCode != 0)
            throw new InvalidOperationException(
                $"fleet down failed: {down.Output}{down.Error}{Environment.NewLine}{Output()}"
            );
        Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Everything <c>fleet up</c> has printed so far.</summary>
    public string Output()
    {
        lock (_output)
            return _output.ToString();
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task Pump(StreamReader reader, TaskCompletionSource ready)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_output)
                _output.AppendLine(line);
            if (line.Contains("Fleet is ready", StringComparison.OrdinalIgnoreCase))
                ready.TrySetResult();
        }
    }
}
