using System.Net;
using System.Net.Sockets;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Benchmarks.Fleet;

/// <summary>
/// A silo and at most one agent, the processes that <c>fleet up</c> starts with the arguments it gives them, but each
/// started and stopped by itself, and never again by anyone when it ends: a member that dies fails the benchmark.
/// </summary>
internal sealed class BenchFleet : IAsyncDisposable
{
    public const string Node = "local-1";

    private readonly FleetPaths _paths;
    private readonly string _connectionString;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly GatewayWatch _watch;
    private readonly List<BoundedLog> _logs = [];
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _silo;
    private ChildProcess? _agent;

    private BenchFleet(string data, string connectionString, TimeProvider clock)
    {
        _paths = new FleetPaths(data);
        _connectionString = connectionString;
        _clock = clock;
        Gateway = new Uri(Target.Local(FreePort()));
        _http = GatewayHttp.Create(Gateway);
        _watch = new GatewayWatch(_http, clock);
    }

    public Uri Gateway { get; }

    /// <summary>Of the node, once it is enrolled.</summary>
    public string CredentialFile => _paths.Credential(Node);

    /// <summary>A silo that is live, without an agent.</summary>
    /// <exception cref="FleetFailure">It does not come up.</exception>
    public static async Task<BenchFleet> StartAsync(
        string data,
        string connectionString,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var fleet = new BenchFleet(data, connectionString, clock);
        try
        {
            await fleet.StartSiloAsync(cancellationToken);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when the agent's device is ready for work, or at once where <paramref name="ready"/> is false.</summary>
    public async Task StartAgentAsync(bool ready, CancellationToken cancellationToken)
    {
        await EnrolAsync(cancellationToken);
        _agent = Start(
            Node,
            Programs.NodeAgent,
            "--data",
            _paths.Agent(Node),
            "--gateway",
            Gateway.ToString().TrimEnd('/'),
            "--node",
            Node,
            "--threads",
            Environment.ProcessorCount.ToString()
        );
        if (ready)
            await WhileUpAsync(token => _watch.UntilReadyAsync(_ => { }, token), cancellationToken);
    }

    /// <summary>Makes the node known without starting it; its credential.</summary>
    public async Task<string> EnrolAsync(CancellationToken cancellationToken)
    {
        await new Enrolment(_http, _paths).EnrolAsync(Node, cancellationToken);
        return (await File.ReadAllTextAsync(_paths.Credential(Node), cancellationToken)).Trim();
    }

    public async Task StopAgentAsync()
    {
        if (_agent is null)
            return;
        var agent = _agent;
        _agent = null;
        await agent.StopAsync(Limits.StopGrace, _clock);
        agent.Dispose();
    }

    /// <summary>Does a piece of work that ends early, with the cause, when a member ends.</summary>
    /// <exception cref="FleetFailure">A member ended.</exception>
    public async Task WhileUpAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var working = work(linked.Token);
        if (await Task.WhenAny(working, _died.Task) == _died.Task)
        {
            await linked.CancelAsync();
            await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            await _died.Task;
        }
        await working;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAgentAsync();
        if (_silo is { } silo)
        {
            _silo = null;
            await silo.StopAsync(Limits.StopGrace, _clock);
            silo.Dispose();
        }
        _logs.ForEach(log => log.Dispose());
        _http.Dispose();
        if (Directory.Exists(_paths.Data))
            Directory.Delete(_paths.Data, recursive: true);
    }

    private async Task StartSiloAsync(CancellationToken cancellationToken)
    {
        _paths.Create();
        _silo = Start(
            "silo",
            Programs.Silo,
            "--data",
            _paths.Data,
            "--port",
            Gateway.Port.ToString(),
            "--expect-agents",
            Node
        );
        await WhileUpAsync(_watch.UntilLiveAsync, cancellationToken);
    }

    private ChildProcess Start(string name, string program, params string[] arguments)
    {
        var log = new BoundedLog(_paths.Log(name), _clock);
        _logs.Add(log);
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["EGPUFLEET_SUPERVISED"] = "1",
            ["EGPUFLEET_MEASURE"] = "off",
            // As in every fleet, only the silo has a route to the database.
            ["EGPUFLEET_POSTGRES"] = name == "silo" ? _connectionString : null,
        };
        var member = ChildProcess.Start(program, arguments, environment, log);
        _ = WatchAsync(name, member);
        return member;
    }

    /// <summary>A member that ends while it is still ours was not told to.</summary>
    private async Task WatchAsync(string name, ChildProcess member)
    {
        var status = await member.Exited;
        if (member != _silo && member != _agent)
            return;
        await member.DrainAsync(_clock);
        var lines = member.Log.Tail.Select(line => $"{Environment.NewLine}  | {line}");
        _died.TrySetException(new FleetFailure($"{name} ended with status {status}.{string.Concat(lines)}"));
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
