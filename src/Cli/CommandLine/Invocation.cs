using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>One run of a verb: which fleet it is about, where it prints, and the client that talks to the gateway.</summary>
internal sealed class Invocation : IDisposable
{
    private readonly Lazy<HttpClient> _http;

    public Invocation(ParseResult parsed, TimeProvider clock)
    {
        Parsed = parsed;
        Clock = clock;
        Console = FleetConsole.System(parsed.GetValue(CommonOptions.Json));
        Data = Target.DataDirectory(parsed.GetValue(CommonOptions.Data), Environment.GetEnvironmentVariable);
        _http = new Lazy<HttpClient>(() => GatewayHttp.Create(Gateway));
    }

    public ParseResult Parsed { get; }

    public TimeProvider Clock { get; }

    public FleetConsole Console { get; }

    /// <summary>Absolute path of the data directory.</summary>
    public string Data { get; }

    public FleetPaths Paths => new(Data);

    public Uri Gateway => Target.Gateway(Parsed.GetValue(CommonOptions.Url), Data, Environment.GetEnvironmentVariable);

    /// <summary>Whether a gateway was named, so that the data directory's fleet is not meant.</summary>
    public bool IsGatewayGiven =>
        Parsed.GetValue(CommonOptions.Url) is not null
        || Environment.GetEnvironmentVariable("EGPUFLEET_URL") is { Length: > 0 };

    public HttpClient Http => _http.Value;

    public FleetClient Client => new(_http.Value);

    public void Dispose()
    {
        if (_http.IsValueCreated)
            _http.Value.Dispose();
    }
}
