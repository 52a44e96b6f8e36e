using System.Collections.Immutable;
using System.Globalization;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Which engine drives a device, and what its worker is told. Pure.</summary>
internal static class EnginePolicy
{
    /// <summary>Engines of the CPU device, the one taken unasked first.</summary>
    public static readonly ImmutableArray<string> CpuEngines = [LlamaCppSettings.Engine, TinygradSettings.Engine];

    public static EngineChoice Choose(DeviceDescription device, AgentOptions options)
    {
        var choice = OfKind(device, options);
        return device.State == DeviceState.Unusable
            ? choice with
            {
                Refusal = device.Reason ?? "Its driver says that it cannot be used.",
            }
            : choice;
    }

    /// <summary>The engine that may train on a device; null where none does.</summary>
    public static string? TrainEngineOf(DeviceDescription device, EngineChoice choice) =>
        choice.Engine == TinygradSettings.Engine ? TinygradSettings.Engine
        : device.Kind == DeviceKind.Cpu ? TorchSettings.Engine
        : null;

    private static EngineChoice OfKind(DeviceDescription device, AgentOptions options) =>
        device.Kind switch
        {
            DeviceKind.Cpu when options.CpuEngine != TinygradSettings.Engine => LlamaCpp(LlamaCppSettings.Cpu),
            DeviceKind.AppleGpu => LlamaCpp(LlamaCppSettings.Metal),
            _ => Tinygrad(device, options),
        };

    private static EngineChoice LlamaCpp(string device) =>
        new(LlamaCppSettings.Engine, Settings((LlamaCppSettings.DeviceVariable, device)));

    private static EngineChoice Tinygrad(DeviceDescription device, AgentOptions options)
    {
        var name = TinygradDevice.NameOf(device);
        var settings = Settings(
            (TinygradSettings.DeviceVariable, name ?? ""),
            (TinygradSettings.ThreadsVariable, options.Threads.ToString(CultureInfo.InvariantCulture))
        );
        var refusal = name is null
            ? $"No engine drives GPUs of {device.Gpu?.VendorName ?? "an unknown vendor"}."
            : null;
        return new EngineChoice(TinygradSettings.Engine, settings, refusal);
    }

    private static ImmutableSortedDictionary<string, string> Settings(params (string Name, string Value)[] settings) =>
        settings.ToImmutableSortedDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
}
