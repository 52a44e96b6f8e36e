using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Evidence;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Verbs;

/// <summary>One run of <c>fleet hardware-check</c>, from what is there to the report.</summary>
internal sealed class HardwareCheck(
    Invocation invocation,
    TestModel model,
    EvidenceBudget budget,
    IReadOnlySet<string> without
)
{
    private readonly TimeProvider _clock = invocation.Clock;
    private readonly DateTimeOffset _at = invocation.Clock.GetUtcNow();

    /// <param name="only">Names of devices; empty: all.</param>
    /// <param name="engine">Null: all.</param>
    /// <returns>Whether all that ran passed.</returns>
    public async Task<bool> RunAsync(
        IReadOnlyList<string> only,
        string? engine,
        string folder,
        CancellationToken cancellationToken
    )
    {
        Say("Looking at this machine; no GPU is opened for that.");
        var home = new TinygradHome(invocation.Paths.Engines);
        var devices = await DiscoverAsync(cancellationToken);
        var tinygrad = home.WorkerSettings();
        var doctor = await LocalDoctor.ExamineAsync(null, home, tinygrad.Count > 0, _clock, cancellationToken);
        var all = EvidenceSubject.Of(devices, tinygrad);
        var subjects = Choose(all, only, engine);
        var secrets = await HostSecrets.GatherAsync(_clock, cancellationToken);
        var processor = devices.First(device => device.Kind == DeviceKind.Cpu);
        var machine = await EvidenceMachines.ThisAsync(processor, _clock, cancellationToken);
        var file = new EvidenceFile(PathIn(folder), new Redactor(secrets));
        EvidenceReport Report(IReadOnlyList<TargetEvidence> targets, string? end) =>
            new(
                EvidenceReport.CurrentFormat,
                _at,
                machine,
                model.Described,
                budget.Total.TotalSeconds,
                budget.Elapsed.TotalSeconds,
                end,
                devices,
                doctor.Checks,
                targets
            );

        Announce(subjects, devices, file.Path);
        var run = new EvidenceRun(
            subjects,
            all,
            model,
            budget,
            without,
            _clock,
            Say,
            soFar => file.Write(Report(soFar, "it was cut off here; what follows was not looked at"))
        );
        var taken = await run.RunAsync(cancellationToken);
        var report = Report(taken, cancellationToken.IsCancellationRequested ? "it was stopped" : null);
        file.Write(report);
        invocation.Console.Show(file.Redact(report), _ => Print(report, doctor, file.Path));
        return report.IsPassed;
    }

    /// <exception cref="FleetFailure">Nothing is of those names.</exception>
    private static List<EvidenceSubject> Choose(
        IReadOnlyList<EvidenceSubject> all,
        IReadOnlyList<string> only,
        string? engine
    )
    {
        var chosen = all.Where(one => only.Count == 0 || only.Contains(one.Device.Name, StringComparer.Ordinal))
            .Where(one => engine is null || one.Engine == engine)
            .ToList();
        if (chosen.Count > 0)
            return chosen;
        throw new FleetFailure(
            "Nothing is left to check.",
            $"This machine has {string.Join(", ", all.Select(one => $"{one.Device.Name} ({one.Engine})"))}.",
            ExitCodes.NotFound
        );
    }

    private async Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken)
    {
        var devices = new List<DeviceDescription>();
        IDeviceDriver[] drivers =
        [
            new CpuDriver(),
            new AppleGpuDriver(_clock),
            new TinyGpuDriver(_clock),
            new LinuxGpuDriver(_clock),
        ];
        foreach (var driver in drivers)
        {
            try
            {
                devices.AddRange(await driver.DiscoverAsync(cancellationToken));
            }
            catch (IOException e)
            {
                Say($"The driver of {driver.Kind} tells nothing: {e.Message}");
            }
        }
        return devices;
    }

    private void Announce(
        IReadOnlyList<EvidenceSubject> subjects,
        IReadOnlyList<DeviceDescription> devices,
        string path
    )
    {
        if (devices.All(device => device.Kind == DeviceKind.Cpu))
            Say("No GPU was found: this will be evidence for the CPU path only.");
        Say($"This will take at most {budget.Total.TotalMinutes:0.#} min, change nothing, and be written to");
        Say($"  {path}");
        Say(
            "Each device opens in a worker process of its own, computes, loads a small model, and is killed and opened"
        );
        Say("again. Close what else uses the GPU. Ctrl-C stops at any time; what was found by then is kept.");
        foreach (var one in subjects)
        {
            var refusal = one.Refusal is null ? "" : $": not run, {one.Refusal}";
            Say($"  {one.Device.Name, -12} {one.Device.Model}, {one.Engine}{refusal}");
        }
    }

    private void Print(EvidenceReport report, DoctorReport doctor, string path)
    {
        var console = invocation.Console;
        console.Line();
        console.Line(EvidenceMarkdown.Verdict(report));
        console.Line(report.Scope);
        if (doctor.FirstFailure is { } first)
            console.Line($"The doctor says: {first.Cause} Fix: {first.Fix}");
        console.Line($"Report, without names, addresses and serial numbers: {path}");
    }

    /// <summary>One name a second; a second run in the same one gets another.</summary>
    private string PathIn(string folder)
    {
        var name = $"hardware-check-{_at:yyyyMMdd-HHmmss}";
        var path = Path.Combine(folder, $"{name}.md");
        for (var i = 2; File.Exists(path); i++)
            path = Path.Combine(folder, $"{name}-{i}.md");
        return path;
    }

    private void Say(string line) => invocation.Console.Error.WriteLine(line);
}
