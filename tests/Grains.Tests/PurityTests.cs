using EgpuFleet.TestKit;

namespace EgpuFleet.Grains.Tests;

/// <summary>What decides must stay a function of its arguments: no I/O, clock, logger, randomness or concurrency.</summary>
public sealed class PurityTests
{
    private static readonly string[] Forbidden =
    [
        "async ",
        "await ",
        "Task<",
        "Task.",
        "ILogger",
        "TimeProvider",
        "Stopwatch",
        "DateTime.",
        "DateTimeOffset.",
        "Random",
        "Guid.New",
        "Guid.Create",
        "System.IO",
        "System.Net",
        "File.",
        "Environment.",
        "Console.",
        "IGrainFactory",
        "ILedger ",
        "Activity.",
        "lock (",
    ];

    [Fact]
    public void Decisions_have_no_side_effects_and_no_hidden_inputs()
    {
        string[] files =
        [
            .. Directory.GetFiles(RepositoryPaths.At("src", "Grains", "Scheduling", "Policy"), "*.cs"),
            .. Directory.GetFiles(RepositoryPaths.At("src", "Grains", "Jobs"), "*.cs"),
            RepositoryPaths.At("src", "Grains", "Fleet", "LeaseBook.cs"),
            RepositoryPaths.At("src", "Grains", "Fleet", "FleetView.cs"),
            RepositoryPaths.At("src", "Grains", "Scheduling", "ReportDecision.cs"),
            .. Directory.GetFiles(RepositoryPaths.At("src", "Grains", "Scheduling", "Memory"), "*.cs"),
            RepositoryPaths.At("src", "Grains", "Scheduling", "WaitReasons.cs"),
        ];
        Assert.True(files.Length > 24);
        foreach (var file in files)
        {
            var code = string.Join(
                '\n',
                File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
            );
            foreach (var word in Forbidden)
                Assert.False(code.Contains(word, StringComparison.Ordinal), $"{Path.GetFileName(file)} uses '{word}'.");
        }
    }
}
