using System.Net;
using System.Net.Sockets;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>Makes the processes of a rig: which program, told what, in which folder.</summary>
internal sealed class RigMembers(string folder, RigOptions options, string connectionString)
{
    private static readonly Dictionary<string, string> EmptyEnvironment = [];

    public static string SiloName(int index) => $"control-{index + 1}";

    public static string NodeName(int index) => $"node-{index + 1}";

    public string DataOf(string member) => Path.Combine(folder, member);

    public RigSilo Silo(int index)
    {
        var name = SiloName(index);
        var port = FreePort();
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["EGPUFLEET_SUPERVISED"] = "1",
            ["EGPUFLEET_POSTGRES"] = connectionString,
            ["EGPUFLEET_SCHEDULING__LEASE_SECONDS"] = options.LeaseSeconds.ToString(),
        };
        foreach (var (key, value) in options.SiloEnvironment)
            environment[key] = value;
        var nodes = string.Join(',', Enumerable.Range(0, options.Agents).Select(NodeName));
        string[] arguments = ["--data", DataOf(name), "--port", $"{port}", "--name", name, "--expect-agents", nodes];
        return new RigSilo(name, port, DataOf(name), Make(name, "Silo", arguments, environment));
    }

    public RigProcess Agent(int index, IEnumerable<RigSilo> silos)
    {
        var name = NodeName(index);
        var gateways = string.Join(',', silos.Select(silo => silo.Url));
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["EGPUFLEET_SUPERVISED"] = "1",
            ["EGPUFLEET_MEASURE"] = "off",
            ["EGPUFLEET_POSTGRES"] = null,
        };
        foreach (var (key, value) in options.AgentEnvironment?.Invoke(name) ?? EmptyEnvironment)
            environment[key] = value;
        return Make(
            name,
            "NodeAgent",
            ["--data", DataOf(name), "--gateway", gateways, "--node", name, "--threads", "1"],
            environment
        );
    }

    private RigProcess Make(
        string name,
        string project,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment
    ) =>
        new(
            name,
            Program(project),
            arguments,
            environment,
            new ProcessLog(Path.Combine(folder, "logs", $"{name}.log"))
        );

    /// <summary>An executable in the configuration that this program was built in.</summary>
    private static string Program(string project)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return RepositoryPaths.At(
            "src",
            project,
            "bin",
            framework.Parent!.Name,
            framework.Name,
            "EgpuFleet." + project
        );
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
