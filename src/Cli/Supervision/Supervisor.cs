using System.Net;
using System.Net.Sockets;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary>
/// Starts and keeps up one local fleet: the silo first, then each agent through the very join path that another machine
/// takes. Disposal stops the agents, then the silo, and waits for both.
/// </summary>
internal sealed class Supervisor : IAsyncDisposable
{
    private readonly UpOptions _options;
    private readonly FleetPaths _paths;
    private readonly TimeProvider _clock;
    private readonly Action<string> _say;
    private readonly FleetMembers _members;
    private readonly HttpClient _http;
    private readonly List<Member> _agents = [];
    private readonly Lock _gate = new();
    private readonly DateTimeOffset _startedAt;
    private FileStream? _lock;
    private Member? _silo;
    private DateTimeOffset? _readyAt;
    private bool _reporting;

    public Supervisor(UpOptions options, TimeProvider clock, Action<string> say)
    {
        _options = options;
        _paths = new FleetPaths(options.Data);
        _clock = clock;
        _say = say;
        _startedAt = clock.GetUtcNow();
        _members = new FleetMembers(options, _paths, clock, OnReport);
        _http = GatewayHttp.Create(new Uri(options.Url));
    }

    /// <summary>False when another supervisor runs this data directory.</summary>
    public bool TryLock()
    {
        _paths.Create();
        _lock = DataLock.TryTake(_paths);
        return _lock is not null;
    }

    /// <summary>Returns when every node has a ready device.</summary>
    /// <exception cref="FleetFailure">A process does not stay up, the port is taken, or nothing is ready in time.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await new Leftovers(_paths, _clock, _say).StopProcessesAsync(cancellationToken);
        RequireFreePort(_options.Port);
        WriteState();
        var watch = new GatewayWatch(_http, _clock);

        _silo = _members.Silo();
        _silo.Start();
        await WhileUpAsync(watch.UntilLiveAsync, cancellationToken);
        _say("the database and the gateway are up");

        var enrolment = new Enrolment(_http, _paths);
        foreach (var node in _options.Nodes)
        {
            await enrolment.EnrolAsync(node, cancellationToken);
            var agent = _members.Agent(node);
            _agents.Add(agent);
            agent.Start();
        }
        await WhileUpAsync(
            token => watch.UntilReadyAsync(check => _say($"{check.Name} is ready"), token),
            cancellationToken
        );
        _readyAt = _clock.GetUtcNow();
        _reporting = true;
        WriteState();
    }

    /// <summary>Keeps the fleet up until cancelled.</summary>
    /// <exception cref="FleetFailure">A process does not stay up.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WhileUpAsync(token => Task.Delay(Timeout.InfiniteTimeSpan, _clock, token), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_lock is not null)
        {
            _reporting = false;
            await Task.WhenAll(_agents.Select(agent => agent.StopAsync()));
            if (_silo is not null)
                await _silo.StopAsync();
            File.Delete(_paths.FleetFile);
        }
        _agents.ForEach(agent => agent.Dispose());
        _silo?.Dispose();
        _members.Dispose();
        _http.Dispose();
        if (_lock is not null)
            await _lock.DisposeAsync();
    }

    /// <summary>Runs a piece of work that ends early, with the cause, when a process gives up.</summary>
    /// <exception cref="FleetFailure">A process does not stay up.</exception>
    public async Task WhileUpAsync(Func<CancellationToken, Task> wait, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = wait(linked.Token);
        var first = await Task.WhenAny([waiting, .. Everyone().Select(member => member.Ended)]);
        await linked.CancelAsync();
        if (first != waiting)
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private IEnumerable<Member> Everyone() => _silo is null ? _agents : _agents.Prepend(_silo);

    private void OnReport(Member member, string what)
    {
        WriteState();
        if (_reporting)
            _say(what);
    }

    private void WriteState()
    {
        lock (_gate)
        {
            var processes = Everyone()
                .Where(member => member.Identity is not null)
                .Select(member => new FleetProcess(member.Name, member.Identity!));
            var self = ProcessIdentity.Of(Environment.ProcessId)!;
            var state = new FleetState(_options.Url, _options.Agents, _startedAt, _readyAt, self, [.. processes]);
            FleetFile.Write(_paths.FleetFile, state);
        }
    }

    private static void RequireFreePort(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
        }
        catch (SocketException e)
        {
            throw new FleetFailure(
                $"Port {port} cannot be used: {e.Message}.",
                $"Stop what uses it, or choose another: ./fleet up --port {(port < 65_000 ? port + 10 : 4790)}."
            );
        }
    }
}
