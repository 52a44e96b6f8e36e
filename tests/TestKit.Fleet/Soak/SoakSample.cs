namespace EgpuFleet.TestKit.Fleet.Soak;

/// <summary>The fleet at one moment of a soak.</summary>
/// <param name="At">From the start.</param>
/// <param name="ResidentBytes">Resident memory of each process, by name.</param>
/// <param name="TableBytes">Size of each table with its indexes and toast, by name; empty tables included.</param>
/// <param name="Jobs">Jobs acknowledged so far.</param>
/// <param name="Unfinished">Jobs that have not ended.</param>
/// <param name="Errors">Lines of level error and worse, of all processes, so far.</param>
public sealed record SoakSample(
    TimeSpan At,
    IReadOnlyDictionary<string, long> ResidentBytes,
    IReadOnlyDictionary<string, long> TableBytes,
    long Jobs,
    long Unfinished,
    int Errors
);
