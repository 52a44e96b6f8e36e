using System.Collections.Immutable;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>What is started for an engine: its worker, and where that finds what it needs.</summary>
internal static class EngineWorkers
{
    public static WorkerCommand CommandOf(EngineChoice choice, AgentOptions options) =>
        choice.Engine switch
        {
            LlamaCppSettings.Engine => new WorkerCommand(
                Path.Combine(options.EngineDir, "llamacpp", "EgpuFleet.Kernels.LlamaCpp"),
                choice.Settings
            ),
            TinygradSettings.Engine => new WorkerCommand(
                Path.Combine(options.EngineDir, "tinygrad", "EgpuFleet.Kernels.Tinygrad"),
                choice.Settings.ToImmutableSortedDictionary(StringComparer.Ordinal).AddRange(WhereTinygradIs(options))
            ),
            _ => throw new ArgumentException($"No such engine: {choice.Engine}", nameof(choice)),
        };

    /// <summary>What the agent's environment names goes before what was installed: a developer's checkout is meant.</summary>
    private static List<KeyValuePair<string, string>> WhereTinygradIs(AgentOptions options)
    {
        var named = new[] { TinygradSettings.CheckoutVariable, TinygradSettings.PythonVariable }
            .Select(name => KeyValuePair.Create(name, Environment.GetEnvironmentVariable(name) ?? ""))
            .Where(variable => variable.Value.Length > 0)
            .ToList();
        var home = new TinygradHome(options.EngineData);
        return named.Count > 0 || !home.IsInstalled
            ? named
            : [KeyValuePair.Create(TinygradSettings.PythonVariable, home.Python)];
    }
}
