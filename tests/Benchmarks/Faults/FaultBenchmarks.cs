using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.TestKit.Fleet.Chaos;
using EgpuFleet.TestKit.Fleet.Recovery;
using EgpuFleet.TestKit.Fleet.Soak;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.Benchmarks.Faults;

/// <summary>The benchmarks that harm a fleet, or only wait for it to tire: what they print.</summary>
internal sealed class FaultBenchmarks(FaultBench settings, FleetConsole console, TimeProvider clock)
{
    /// <summary>Retention that a short soak reaches the end of, so that tables can be seen to stop growing.</summary>
    private static readonly Dictionary<string, string> ShortRetention = new(StringComparer.Ordinal)
    {
        ["EGPUFLEET_RETENTION__FINISHED_HOURS"] = "0.05",
        ["EGPUFLEET_RETENTION__ARCHIVE_HOURS"] = "0.1",
        ["EGPUFLEET_RETENTION__KEY_HOURS"] = "0.1",
    };

    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(30);

    /// <summary>True when every goal is met and every promise kept.</summary>
    public Task<bool> RunAsync(string verb, CancellationToken cancellationToken) =>
        verb switch
        {
            FaultBench.Recovery => RecoverAsync(cancellationToken),
            FaultBench.Chaos => DisturbAsync(cancellationToken),
            FaultBench.Survival => SurviveAsync(cancellationToken),
            _ => SoakAsync(cancellationToken),
        };

    private async Task<bool> RecoverAsync(CancellationToken cancellationToken)
    {
        var run = new RecoveryRun(settings.Runs, clock, console.Error.WriteLine);
        var report = new RecoveryReport(await run.RunAsync([.. settings.Only ?? []], cancellationToken));
        console.Table(RecoveryReport.Header, report.Rows);
        console.Output.WriteLine(report.JsonLine());
        return report.IsGood;
    }

    private async Task<bool> DisturbAsync(CancellationToken cancellationToken)
    {
        var options = new ChaosOptions(TimeSpan.FromMinutes(settings.Minutes), settings.Faults, settings.Seed);
        var outcome = await new ChaosRun(options, clock, console.Error.WriteLine).RunAsync(cancellationToken);
        var report = new ChaosReport(outcome);
        console.Table(ChaosReport.Header, report.Rows);
        foreach (var line in report.Lines)
            console.Line(line);
        console.Output.WriteLine(report.JsonLine());
        return outcome.Violations.Count == 0;
    }

    private async Task<bool> SurviveAsync(CancellationToken cancellationToken)
    {
        var options = new SurvivalOptions(settings.Faults, settings.Seed);
        var outcome = await new SurvivalRun(options, clock, console.Error.WriteLine).RunAsync(cancellationToken);
        var report = new SurvivalReport(outcome);
        console.Table(SurvivalReport.Header, report.Rows);
        foreach (var line in report.Lines)
            console.Line(line);
        console.Output.WriteLine(report.JsonLine());
        return outcome.Violations.Count == 0;
    }

    private async Task<bool> SoakAsync(CancellationToken cancellationToken)
    {
        var duration = TimeSpan.FromMinutes(settings.Minutes);
        var every = TimeSpan.FromTicks(Math.Min(SampleEvery.Ticks, duration.Ticks / 10));
        var options = new SoakOptions(duration, settings.Rate, every, ShortRetention);
        console.Line(SoakReport.Header);
        var run = new SoakRun(options, clock, sample => console.Line(SoakReport.LineOf(sample)));
        var (samples, errors) = await run.RunAsync(cancellationToken);
        foreach (var error in errors)
            console.Line($"error: {error}");
        var verdict = SoakVerdict.Of(samples);
        console.Output.WriteLine(SoakReport.JsonLine(verdict, settings));
        return verdict.IsGood;
    }
}
