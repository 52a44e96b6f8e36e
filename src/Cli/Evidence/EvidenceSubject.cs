using System.Globalization;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Evidence;

/// <summary>A device under one engine: what evidence is taken of.</summary>
/// <param name="EngineDevice">What the engine calls it.</param>
/// <param name="Executable">Absolute path of the engine's worker.</param>
/// <param name="Settings">What the worker is told by its environment.</param>
/// <param name="Refusal">Why no worker can be started; null: one can.</param>
internal sealed record EvidenceSubject(
    DeviceDescription Device,
    string Engine,
    string EngineDevice,
    string Executable,
    IReadOnlyDictionary<string, string> Settings,
    string? Refusal
)
{
    public bool IsGpu => Device.Kind != DeviceKind.Cpu;

    /// <summary>Pure: every device with every engine that may drive it; GPUs first, for they are what this is about.</summary>
    /// <param name="tinygrad">Where its workers find tinygrad; empty: nowhere.</param>
    public static IReadOnlyList<EvidenceSubject> Of(
        IReadOnlyList<DeviceDescription> devices,
        IReadOnlyDictionary<string, string> tinygrad
    ) =>
        [
            .. devices
                .OrderBy(device => device.Kind == DeviceKind.Cpu)
                .SelectMany(device => (EvidenceSubject?[])[LlamaCpp(device), Tinygrad(device, tinygrad)])
                .OfType<EvidenceSubject>(),
        ];

    private static EvidenceSubject? LlamaCpp(DeviceDescription device)
    {
        var name = device.Kind switch
        {
            DeviceKind.Cpu => LlamaCppSettings.Cpu,
            DeviceKind.AppleGpu => LlamaCppSettings.Metal,
            _ => null,
        };
        return name is null
            ? null
            : new EvidenceSubject(
                device,
                LlamaCppSettings.Engine,
                name,
                Programs.Worker("llamacpp", "EgpuFleet.Kernels.LlamaCpp"),
                Told((LlamaCppSettings.DeviceVariable, name)),
                Unusable(device)
            );
    }

    private static EvidenceSubject? Tinygrad(DeviceDescription device, IReadOnlyDictionary<string, string> tinygrad)
    {
        if (TinygradDevice.NameOf(device) is not { } name)
            return null;
        var threads = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
        return new EvidenceSubject(
            device,
            TinygradSettings.Engine,
            name,
            Programs.Worker("tinygrad", "EgpuFleet.Kernels.Tinygrad"),
            Told([
                (TinygradSettings.DeviceVariable, name),
                (TinygradSettings.ThreadsVariable, threads),
                .. tinygrad.Select(one => (one.Key, one.Value)),
            ]),
            Unusable(device) ?? (tinygrad.Count == 0 ? NoTinygrad : null)
        );
    }

    private const string NoTinygrad =
        "the tinygrad engine is not installed: ./fleet engine install tinygrad, then run this again";

    private static string? Unusable(DeviceDescription device) =>
        device.State == DeviceState.Usable ? null : device.Reason ?? "its driver says that it cannot be used";

    private static Dictionary<string, string> Told(params IEnumerable<(string Name, string Value)> settings) =>
        settings.ToDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
}
