using System.Globalization;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.NodeAgent.Devices;
using Microsoft.Extensions.Configuration;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>Reads the options: flag, then environment (<c>EGPUFLEET_*</c>), then <c>appsettings.json</c> in the data folder, then default.</summary>
public static class AgentConfiguration
{
    private const string EnvironmentPrefix = "EGPUFLEET_";

    private static readonly Dictionary<string, string> Flags = new(StringComparer.Ordinal)
    {
        ["--data"] = "data",
        ["--gateway"] = "gateway",
        ["--node"] = "node",
        ["--threads"] = "threads",
        ["--devices"] = "devices",
        ["--cpu-engine"] = "cpu_engine",
        ["--engine-dir"] = "engine_dir",
        ["--engine-data"] = "engine_data",
        ["--memory-bytes"] = "memory_bytes",
        ["--join-timeout-seconds"] = "join_timeout_seconds",
        ["--model-cache-bytes"] = "model_cache_bytes",
        ["--step-timeout-seconds"] = "step_timeout_seconds",

        ["--measure"] = "measure",
        ["--supervised"] = "supervised",
    };

    /// <exception cref="AgentStartException">Something is missing or malformed.</exception>
    public static AgentOptions Read(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        RefuseUnknownFlags(args);
        var outer = new ConfigurationBuilder()
            .AddEnvironmentVariables(EnvironmentPrefix)
            .AddCommandLine(args, Flags)
            .Build();
        var data = outer["data"] ?? throw new AgentStartException("--data DIR is missing.");
        var all = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(Path.GetFullPath(data), "appsettings.json"), optional: true)
            .AddConfiguration(outer)
            .Build();
        return new AgentOptions
        {
            Data = data,
            Gateways = Gateways(all["gateway"]),
            Node = Node(all["node"]),
            Threads = (int)Number(all, "threads", Environment.ProcessorCount, Limits.Threads),
            MemoryBytes = all["memory_bytes"] is null ? null : Number(all, "memory_bytes", 0, long.MaxValue),
            Devices = DeviceNames(all["devices"]),
            CpuEngine = CpuEngine(all["cpu_engine"]),
            EngineDir = Path.GetFullPath(all["engine_dir"] ?? Path.Combine(AppContext.BaseDirectory, "engines")),
            EngineData = Path.GetFullPath(all["engine_data"] ?? Path.Combine(data, "engines")),
            JoinTimeout = TimeSpan.FromSeconds(Number(all, "join_timeout_seconds", 600, 86_400)),
            ModelCacheBytes = Number(all, "model_cache_bytes", Limits.ModelCacheBytes, long.MaxValue),
            StepTimeout = TimeSpan.FromSeconds(
                Number(all, "step_timeout_seconds", (long)Limits.StepTimeout.TotalSeconds, Limits.LongestStepSeconds)
            ),

            Measure = Flag(all["measure"], standard: true),
            Supervised = all["supervised"] is "1" or "true",
        };
    }

    private static bool Flag(string? text, bool standard) =>
        text switch
        {
            null => standard,
            "on" or "1" or "true" => true,
            "off" or "0" or "false" => false,
            _ => throw new AgentStartException($"--measure '{text}' is neither on nor off."),
        };

    private static void RefuseUnknownFlags(string[] args)
    {
        foreach (var arg in args)
        {
            var name = arg.Split('=')[0];
            if (name.StartsWith('-') && !Flags.ContainsKey(name))
                throw new AgentStartException($"Unknown flag {name}. Known: {string.Join(' ', Flags.Keys)}.");
        }
    }

    private static List<Uri> Gateways(string? text)
    {
        var given = text ?? "http://127.0.0.1:4780";
        var parts = given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is > 0 and <= Limits.Gateways
            ? [.. parts.Select(Gateway).Distinct()]
            : throw new AgentStartException($"--gateway '{given}' is not 1 to {Limits.Gateways} http URLs.");
    }

    private static Uri Gateway(string given)
    {
        var isHttp =
            Uri.TryCreate(given, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Query is "";
        return isHttp ? uri! : throw new AgentStartException($"--gateway '{given}' is not an http URL.");
    }

    private static NodeId Node(string? text) =>
        NodeId.TryParse(text, out var node)
            ? node
            : throw new AgentStartException(
                $"--node '{text}' is not a node id: 1 to {NodeId.MaxLength} of a-z 0-9 -, no dash at the ends."
            );

    private static string CpuEngine(string? text) =>
        text is null ? EnginePolicy.CpuEngines[0]
        : EnginePolicy.CpuEngines.Contains(text, StringComparer.Ordinal) ? text
        : throw new AgentStartException(
            $"--cpu-engine '{text}' is no engine of a processor. Known: {string.Join(", ", EnginePolicy.CpuEngines)}."
        );

    private static HashSet<string>? DeviceNames(string? text)
    {
        if (text is null or "all")
            return null;
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // The rule of node names is that of device names.
        return names.Length > 0 && names.All(name => NodeId.TryParse(name, out _))
            ? [.. names]
            : throw new AgentStartException($"--devices '{text}' is not 'all' or names such as cpu0,egpu0.");
    }

    private static long Number(IConfiguration all, string key, long standard, long most)
    {
        if (all[key] is not { } text)
            return Math.Min(standard, most);
        var isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return isNumber && number >= 1 && number <= most
            ? number
            : throw new AgentStartException($"{key} '{text}' is not a whole number from 1 to {most}.");
    }
}
