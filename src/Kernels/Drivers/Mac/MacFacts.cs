namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>What the texts of a Mac tell about its external GPU.</summary>
/// <param name="SystemVersion">Of macOS; null where it could not be told.</param>
/// <param name="IsListed">Whether the list of system extensions could be read.</param>
/// <param name="Extension">The row of TinyGPU's extension that counts; null where there is none.</param>
/// <param name="Status">What TinyGPU says of itself.</param>
/// <param name="IsReportRead">Whether <c>system_profiler</c> gave anything that could be read.</param>
/// <param name="Gpus">GPUs on PCI.</param>
/// <param name="Thunderbolt">Devices on Thunderbolt.</param>
/// <param name="Registry">PCI devices in the registry.</param>
/// <param name="IsAttached">Whether TinyGPU's service holds a GPU; null where the registry could not be read.</param>
/// <param name="IsDockerUp">Whether a container could be started.</param>
/// <param name="IsServerRunning">Whether a TinyGPU server runs.</param>
/// <param name="LockHolders">Processes that hold tinygrad's lock.</param>
public sealed record MacFacts(
    bool IsAppleSilicon,
    Version? SystemVersion,
    bool IsListed,
    SystemExtension? Extension,
    TinyGpuStatus Status,
    bool IsReportRead,
    IReadOnlyList<PciGpu> Gpus,
    IReadOnlyList<ThunderboltDevice> Thunderbolt,
    IReadOnlyList<RegistryDevice> Registry,
    bool? IsAttached,
    bool IsDockerUp,
    bool IsServerRunning,
    IReadOnlyList<int> LockHolders,
    MacFiles Files,
    IReadOnlyList<string> Panics
)
{
    /// <summary>The oldest macOS whose GPUs TinyGPU can reset.</summary>
    public static Version OldestSystem { get; } = new(13, 0);

    /// <summary>The GPU that TinyGPU would take: it takes the first it can, one a Mac.</summary>
    public PciGpu? Gpu =>
        Gpus.FirstOrDefault(gpu => TinygradSupport.Of(gpu) == GpuSupport.Supported)
        ?? (Gpus.Count > 0 ? Gpus[0] : null);

    /// <summary>The enclosure the GPU is in; null where none, or more than one device, is on Thunderbolt.</summary>
    public ThunderboltDevice? Enclosure => Thunderbolt.Count == 1 ? Thunderbolt[0] : null;

    /// <summary>Pure; any texts give some facts.</summary>
    public static MacFacts Of(MacTexts texts)
    {
        var report = ProfilerReport.ParseJson(texts.ReportJson.Text);
        var text = ProfilerReport.ParseText(texts.ReportText.Text);
        var registry = IoRegistry.Devices(texts.PciRegistry.Text);
        return new MacFacts(
            texts.IsAppleSilicon,
            SystemVersionOf(texts.SystemVersion.Text),
            texts.Extensions.IsGood,
            SystemExtensions.Choose(SystemExtensions.Parse(texts.Extensions.Text), SystemExtensions.TinyGpu),
            TinyGpuStatusText.Parse(texts.Status.Text),
            report is not null || text.Count > 0,
            [.. GpusOf(report ?? ProfilerReport.Empty, text).Select(gpu => WithClass(gpu, registry))],
            ThunderboltReport.Devices(report?.Thunderbolt ?? []),
            registry,
            texts.TinyGpuRegistry.IsGood ? IoRegistry.IsAttached(texts.TinyGpuRegistry.Text) : null,
            texts.Docker.IsGood,
            texts.Server.IsGood && texts.Server.Text.Length > 0,
            [.. ProcessIds(texts.LockHolders.Text)],
            texts.Files,
            texts.Panics
        );
    }

    /// <summary>The first source that shows a GPU; the same card is in all of them, under different keys.</summary>
    private static IReadOnlyList<PciGpu> GpusOf(ProfilerReport report, IReadOnlyList<ProfilerItem> text)
    {
        var found = MacPci.Gpus(report.Pci);
        if (found.Count == 0)
            found = MacPci.Gpus(text);
        return found.Count > 0 ? found : MacPci.Gpus(report.Displays);
    }

    /// <summary>The registry knows the class by number; reports only name it.</summary>
    private static PciGpu WithClass(PciGpu gpu, IReadOnlyList<RegistryDevice> registry) =>
        registry.FirstOrDefault(device => (device.VendorId, device.DeviceId) == (gpu.VendorId, gpu.DeviceId))
            is { ClassCode: { } code }
            ? gpu with
            {
                ClassCode = code,
            }
            : gpu;

    private static Version? SystemVersionOf(string text) =>
        Version.TryParse(text.Trim(), out var version) ? version
        : int.TryParse(text.Trim(), out var major) && major >= 0 ? new Version(major, 0)
        : null;

    private static IEnumerable<int> ProcessIds(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Take(Limits.Gpus)
            .Select(id => int.TryParse(id, out var number) ? number : 0)
            .Where(id => id > 0);
}
