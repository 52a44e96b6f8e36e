using System.Globalization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Scheduling;
using EgpuFleet.Silo.Postgres.Retention;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// What the control process is told: by flag, else <c>EGPUFLEET_*</c>, else <c>fleet.toml</c>, else
/// <c>appsettings.json</c> in the data directory, else the default.
/// </summary>
/// <param name="DataDirectory">Absolute path.</param>
/// <param name="Port">Port of the gateway on 127.0.0.1.</param>
/// <param name="ExpectedAgents">Nodes that must have a ready device before the fleet is ready.</param>
/// <param name="PostgresConnectionString">A given server; null for an embedded one.</param>
/// <param name="Supervised">Whether the end of standard input means: stop.</param>
/// <param name="Name">Of this control silo; no other one on the same database has it.</param>
public sealed record SiloSettings(
    string DataDirectory,
    int Port,
    IReadOnlyList<NodeId> ExpectedAgents,
    string? PostgresConnectionString = null,
    bool Supervised = false,
    string Name = SiloSettings.DefaultName
)
{
    public const int DefaultPort = 4780;

    public const string DefaultName = NamePrefix + "1";

    /// <summary>Names of control silos begin with it and names of nodes never do: placement finds a node by its silo's name.</summary>
    public const string NamePrefix = "control-";

    /// <summary>Times and sizes of the scheduler.</summary>
    public SchedulingOptions Scheduling { get; init; } = new();

    /// <summary>How long finished jobs are kept.</summary>
    public RetentionRules Retention { get; init; } = RetentionRules.Default;

    /// <summary>Settings of the embedded server over the tuned ones; tests switch fsync off, nothing else does.</summary>
    public IReadOnlyDictionary<string, string> PostgresSettings { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <exception cref="StartupException">A value is missing or malformed.</exception>
    public static SiloSettings Load(SiloCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var environment = new ConfigurationBuilder().AddEnvironmentVariables("EGPUFLEET_").Build();
        var data = command.Flags.GetValueOrDefault("data") ?? environment["data"];
        if (string.IsNullOrWhiteSpace(data))
            throw new StartupException("--data DIR is needed: where the fleet keeps its files.", ExitCodes.Usage);
        data = Path.GetFullPath(data);
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.Combine(data, "appsettings.json"), optional: true)
                .AddInMemoryCollection(FleetToml.ReadIfPresent(Path.Combine(data, "fleet.toml")))
                .AddEnvironmentVariables("EGPUFLEET_")
                .AddInMemoryCollection(command.Flags)
                .Build();
            return new SiloSettings(
                data,
                PortOf(configuration["port"]),
                AgentsOf(configuration["expect_agents"]),
                configuration["postgres"] is { Length: > 0 } connection ? connection : null,
                configuration["supervised"] == "1",
                NameOf(configuration["name"])
            )
            {
                Scheduling = SchedulingSettings.Read(configuration.GetSection("scheduling")),
                Retention = RetentionSettings.Read(configuration.GetSection("retention")),
            };
        }
        catch (Exception e) when (e is InvalidDataException or FormatException)
        {
            throw new StartupException(e.Message, ExitCodes.Usage);
        }
    }

    private static string NameOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return DefaultName;
        return NodeId.TryParse(text, out _) && text.StartsWith(NamePrefix, StringComparison.Ordinal)
            ? text
            : throw new StartupException(
                $"--name is '{text}', not '{NamePrefix}' and then a-z, 0-9 or dashes, {NodeId.MaxLength} characters in all.",
                ExitCodes.Usage
            );
    }

    private static int PortOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return DefaultPort;
        return
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= ushort.MaxValue
            ? port
            : throw new StartupException($"--port is '{text}', not a number from 1 to 65535.", ExitCodes.Usage);
    }

    private static List<NodeId> AgentsOf(string? text)
    {
        var nodes = new List<NodeId>();
        var parts = (text ?? string.Empty).Split(
            ',',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
        );
        foreach (var part in parts)
        {
            if (!NodeId.TryParse(part, out var node))
                throw new StartupException($"--expect-agents: '{part}' is not a node name.", ExitCodes.Usage);
            nodes.Add(node);
        }
        return nodes;
    }
}
