using System.Globalization;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Simulation.Tests;

/// <summary>Runs many seeds, on every core, until all are done or enough are red.</summary>
internal sealed class Campaign(ulong firstSeed, int seeds, TimeProvider time)
{
    public const string OneSeed = "EGPUFLEET_SIM_SEED";
    public const string SeedCount = "EGPUFLEET_SIM_SEEDS";
    public const int UsualSeeds = 500;
    private const int LinesShown = 300;
    private const int RedEnough = 20;

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

    /// <summary>The red seeds among those that ran, by number.</summary>
    public IReadOnlyList<SeedReport> Run(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var red = new List<SeedReport>();
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
                    if (report.IsRed)
                        red.Add(report);
                    if (red.Count >= RedEnough)
                        loop.Break();
                }
            }
        );
        return [.. red.OrderBy(report => report.Seed)];
    }

    /// <summary>Kinds of operations that no run had: a world that has gone quiet shows nothing. Null while too few seeds ran.</summary>
    public string? WhatNeverHappened()
    {
        if (done < UsualSeeds)
            return null;
        var never = typeof(LedgerOperation)
            .GetNestedTypes()
            .Select(type => type.Name)
            .Where(name => figures.Operations.GetValueOrDefault(name) == 0)
            .ToList();
        return never.Count == 0 ? null : $"No seed had an operation {string.Join(", ", never)}.";
    }

    /// <summary>What is wrong with the first red seed, how to run it again, and how it came to it; and the other red ones.</summary>
    public string Describe(IReadOnlyList<SeedReport> red)
    {
        var first = red[0];
        var others = red.Skip(1).Select(report => $"Seed {report.Seed}: {FirstLine(report.Violations[0].ToString())}");
        return $"""
            Seed {first.Seed} is red:
            {string.Join(Environment.NewLine, first.Violations)}

            Run it again: {OneSeed}={first.Seed} ./fleet test --project Simulation --filter Promises
            {Summary}
            {string.Join(Environment.NewLine, others)}

            The end of its trace:
            {first.Trace.Tail(seeds == 1 ? int.MaxValue : LinesShown)}
            """;
    }

    private static string FirstLine(string text) => text.Split('\n')[0].TrimEnd();

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
