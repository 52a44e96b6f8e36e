using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Rules;
using EgpuFleet.Simulation.Tests.World;
using EgpuFleet.TestKit.Checkers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Simulation.Tests;

/// <summary>What came of one seed.</summary>
/// <param name="Digest">Of everything that happened.</param>
internal sealed record SeedReport(
    ulong Seed,
    IReadOnlyList<Violation> Violations,
    ulong Digest,
    TimeSpan VirtualTime,
    long Steps,
    Trace Trace,
    RunFigures Figures
)
{
    public bool IsRed => Violations.Count > 0;
}

/// <summary>Runs one seed: clients and faults for a while, then everything healed until the queue is drained, then the checks.</summary>
internal static class SeedRun
{
    private static readonly TimeSpan FirstFault = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastFault = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Healing = TimeSpan.FromSeconds(45);

    /// <summary>
    /// Longest client call 30 s, a lease and its grace, a device held back 32 s, the latest deadline, and the work itself.
    /// </summary>
    private static readonly TimeSpan DrainBound = TimeSpan.FromMinutes(2);

    /// <summary>By then a healed pool has a leader that knows it again.</summary>
    private static readonly TimeSpan Recovering = TimeSpan.FromSeconds(15);

    /// <summary>For readers to see the end.</summary>
    private static readonly TimeSpan Epilogue = TimeSpan.FromSeconds(3);

    public static SeedReport Run(ulong seed, Func<ILedger, ILedger>? mutate = null, ILoggerFactory? loggers = null)
    {
        var before = SynchronizationContext.Current;
        using var fleet = new SimulatedFleet(seed, mutate, loggers);
        try
        {
            return Run(seed, fleet);
        }
        catch (InvalidOperationException broken)
        {
            return Report(seed, fleet, [new Violation("simulation", broken.ToString())], TimeSpan.Zero);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static SeedReport Run(ulong seed, SimulatedFleet fleet)
    {
        fleet.Start();
        fleet.Faults.Plan(FirstFault, LastFault);
        fleet.Clockwork.RunUntil(() => false, Healing);
        fleet.Heal();
        fleet.Clockwork.RunUntil(() => fleet.AreClientsDone && fleet.Ledger.Unfinished == 0, Healing + DrainBound);
        var waited = fleet.Clockwork.Now - Healing;
        var unfinished = fleet.Ledger.Unfinished;
        fleet.Clockwork.RunUntil(() => false, fleet.Clockwork.Now + Epilogue);
        SynchronizationContext.SetSynchronizationContext(null);
        var healthySince = PlaceClock.Beginning + fleet.Database.Place.Clock.WallOffset + Healing + Recovering;
        var violations = Verdict.On(fleet, new Drain(waited, DrainBound, unfinished), healthySince);
        return Report(seed, fleet, violations, waited);
    }

    private static SeedReport Report(
        ulong seed,
        SimulatedFleet fleet,
        IReadOnlyList<Violation> violations,
        TimeSpan drain
    ) =>
        new(
            seed,
            violations,
            fleet.Trace.Digest(),
            fleet.Clockwork.Now,
            fleet.Clockwork.Steps,
            fleet.Trace,
            RunFigures.Of(fleet.Ledger, drain)
        );
}
