using System.Globalization;

namespace EgpuFleet.Simulation.Tests;

/// <summary>Runs many seeds, on every core, until one is red.</summary>
internal sealed class Campaign(ulong firstSeed, int seeds, TimeProvider time)
{
    public const string OneSeed = "EGPUFLEET_SIM_SEED";
    public const string SeedCount = "EGPUFLEET_SIM_SEEDS";
    public const int UsualSeeds = 500;
    private const int LinesShown = 300;

    private readonly Lock gate = new();
    private RunFigures figures = RunFigures.None;
    private TimeSpan virtualTime;
    private long steps;
    private int done;
    private ulong digest;
    private TimeSpan elapsed;

    public string Summary
    {
        get
        {
            var perSecond = done / Math.Max(elapsed.TotalSeconds, 0.001);
            return $"{done} seeds, {perSecond:0.0} seeds/s, {virtualTime.TotalHours:0.0} virtual hours, {steps} steps; "
                + $"{figures}; digest {digest:x16}";
        }
    }

    /// <summary>One seed with its whole trace when that is asked for, else as many as are asked for.</summary>
    public static Campaign FromEnvironment()
    {
        if (ulong.TryParse(Environment.GetEnvironmentVariable(OneSeed), CultureInfo.InvariantCulture, out var seed))
            return new Campaign(seed, 1, TimeProvider.System);
        return int.TryParse(Environment.GetEnvironmentVariable(SeedCount), CultureInfo.InvariantCulture, out var count)
            ? new Campaign(1, count, TimeProvider.System)
            : new Campaign(1, UsualSeeds, TimeProvider.System);
    }

    /// <summary>The red seed with the lowest number among those that ran, or null.</summary>
    public SeedReport? Run(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        SeedReport? red = null;
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = Environment.ProcessorCount,
            CancellationToken = cancellationToken,
        };
        Parallel.For(
            0,
            seeds,
            options,
            (i, loop) =>
            {
                var report = SeedRun.Run(firstSeed + (ulong)i);
                lock (gate)
                {
                    Count(report, time.GetElapsedTime(start));
                    if (report.IsRed && (red is null || report.Seed < red.Seed))
                        red = report;
                }
                if (report.IsRed)
                    loop.Break();
            }
        );
        return red;
    }

    /// <summary>What is wrong with a red seed, how to run it again, and how it came to it.</summary>
    public string Describe(SeedReport red)
    {
        var violations = string.Join(Environment.NewLine, red.Violations);
        return $"""
            Seed {red.Seed} is red:
            {violations}

            Run it again: {OneSeed}={red.Seed} ./fleet test --project Simulation --filter Promises
            {Summary}

            The last {LinesShown} lines of its trace:
            {red.Trace.Tail(seeds == 1 ? int.MaxValue : LinesShown)}
            """;
    }

    private void Count(SeedReport report, TimeSpan now)
    {
        done++;
        digest += report.Digest;
        figures += report.Figures;
        virtualTime += report.VirtualTime;
        steps += report.Steps;
        elapsed = now;
        if (seeds > UsualSeeds && done % UsualSeeds == 0)
            Console.WriteLine(Summary);
    }
}
