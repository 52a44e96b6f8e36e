using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;

namespace EgpuFleet.Cli.Evidence;

/// <summary>The machine that gave the evidence, and the software that took it.</summary>
/// <param name="Version">Of EgpuFleet.</param>
/// <param name="Commit">Of the checkout; <c>unknown</c> where git tells none, with <c>+changes</c> where files differ from it.</param>
/// <param name="System">Name and version of the operating system.</param>
/// <param name="Chip">Model of the processor.</param>
internal sealed record EvidenceMachine(
    string Version,
    string Commit,
    string System,
    string Architecture,
    string Chip,
    int ThreadCount,
    long MemoryBytes
);

/// <param name="Sha256">Of the file, so that another machine can be asked the same.</param>
internal sealed record EvidenceModel(string Name, string Architecture, string FileType, long Bytes, string Sha256);

/// <summary>What one engine showed on one device.</summary>
/// <param name="Device">Name of the device, as <c>egpu0</c>.</param>
/// <param name="EngineDevice">What the engine calls it.</param>
/// <param name="EngineVersion">As its worker said; null where none came up.</param>
internal sealed record TargetEvidence(
    string Device,
    DeviceKind Kind,
    string Model,
    string Engine,
    string EngineDevice,
    string? EngineVersion,
    IReadOnlyList<EvidenceItem> Items
);

/// <summary>All that was found; what <c>fleet hardware-check</c> writes down.</summary>
/// <param name="Format">Of this record; raised when a field changes its meaning.</param>
/// <param name="Seconds">How long it took so far.</param>
/// <param name="End">Why it is not complete; null where it is.</param>
/// <param name="Devices">As the drivers found them, without opening any.</param>
/// <param name="Doctor">The doctor's checks.</param>
internal sealed record EvidenceReport(
    int Format,
    DateTimeOffset At,
    EvidenceMachine Machine,
    EvidenceModel Model,
    double BudgetSeconds,
    double Seconds,
    string? End,
    IReadOnlyList<DeviceDescription> Devices,
    IReadOnlyList<DoctorCheck> Doctor,
    IReadOnlyList<TargetEvidence> Targets
)
{
    public const int CurrentFormat = 1;

    public int GpuCount => Devices.Count(device => device.Kind != DeviceKind.Cpu);

    public int Passed => Count(EvidenceStatus.Passed);

    public int Failed => Count(EvidenceStatus.Failed);

    public int NotRun => Count(EvidenceStatus.NotRun);

    /// <summary>Whether all that ran passed, and anything did.</summary>
    public bool IsPassed => Failed == 0 && Passed > 0 && End is null;

    /// <summary>What this is evidence for, in one sentence.</summary>
    public string Scope
    {
        get
        {
            if (GpuCount == 0)
                return "No GPU was found: this is evidence for the CPU path only.";
            var shown = Targets
                .Where(target => target.Kind != DeviceKind.Cpu && Computes(target))
                .Select(target => $"{target.Model} ({target.Device}, {target.Engine})")
                .ToList();
            return shown.Count == 0
                ? "A GPU was found and did not compute: this is no evidence for it."
                : $"Evidence for: {string.Join("; ", shown)}.";
        }
    }

    private static bool Computes(TargetEvidence target) =>
        target.Items.Any(item => item is { Id: EvidenceSteps.SelfTest, Status: EvidenceStatus.Passed });

    private int Count(EvidenceStatus status) =>
        Targets.Sum(target => target.Items.Count(item => item.Status == status));
}
