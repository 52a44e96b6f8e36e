using System.Collections.Immutable;
using EgpuFleet.Kernels.Drivers;
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
                choice
                    .Settings.ToImmutableSortedDictionary(StringComparer.Ordinal)
                    .AddRange(new TinygradHome(options.EngineData).WorkerSettings())
            ),
            TorchSettings.Engine => new WorkerCommand(
                Path.Combine(options.EngineDir, "torch", "EgpuFleet.Kernels.Torch"),
                choice.Settings
            ),
            _ => throw new ArgumentException($"No such engine: {choice.Engine}", nameof(choice)),
        };

    /// <summary>The engine that trains on a device; null where none does, or its worker is not installed.</summary>
    public static string? TrainEngineOf(DeviceDescription device, EngineChoice choice, AgentOptions options) =>
        EnginePolicy.TrainEngineOf(device, choice) is { } engine
        && File.Exists(CommandOf(choice with { Engine = engine }, options).Executable)
            ? engine
            : null;
}
