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

    private static EngineChoice OfKind(DeviceDescription device, AgentOptions options) =>
        device.Kind switch
        {
            DeviceKind.Cpu when options.CpuEngine == TinygradSettings.Engine => Tinygrad("CPU", options),
            DeviceKind.Cpu => LlamaCpp(LlamaCppSettings.Cpu),
            DeviceKind.AppleGpu => LlamaCpp(LlamaCppSettings.Metal),
            DeviceKind.ExternalGpu => OfVendor(device, options, "AMD", "NV"),
            // By number: a machine may have several, and each has a worker of its own.
            DeviceKind.LinuxGpu => OfVendor(
                device,
                options,
                $"KFD:{device.VendorIndex}+AMD",
                $"NVK:{device.VendorIndex}+NV"
            ),
            _ => throw new ArgumentException($"No such kind of device: {device.Kind}", nameof(device)),
        };

    private static EngineChoice OfVendor(DeviceDescription device, AgentOptions options, string amd, string nvidia) =>
        device.Gpu?.VendorId switch
        {
            PciGpu.Amd => Tinygrad(amd, options),
            PciGpu.Nvidia => Tinygrad(nvidia, options),
            _ => Tinygrad("", options) with
            {
                Refusal = $"No engine drives GPUs of {device.Gpu?.VendorName ?? "an unknown vendor"}.",
            },
        };

    private static EngineChoice LlamaCpp(string device) =>
        new(LlamaCppSettings.Engine, Settings((LlamaCppSettings.DeviceVariable, device)));

    private static EngineChoice Tinygrad(string device, AgentOptions options) =>
        new(
            TinygradSettings.Engine,
            Settings(
                (TinygradSettings.DeviceVariable, device),
                (TinygradSettings.ThreadsVariable, options.Threads.ToString(CultureInfo.InvariantCulture))
            )
        );

    private static ImmutableSortedDictionary<string, string> Settings(params (string Name, string Value)[] settings) =>
        settings.ToImmutableSortedDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal);
}
