namespace EgpuFleet.Cli.Evidence;

internal enum EvidenceStatus
{
    Passed,
    Failed,

    /// <summary>It applies here and was not looked at, or not to its end; what was seen says why.</summary>
    NotRun,

    /// <summary>It means nothing for this device.</summary>
    NotApplicable,
}

/// <summary>One thing that a device was made to show.</summary>
/// <param name="Id">Stable, in snake_case.</param>
/// <param name="Seen">What was seen, or why nothing was; one line.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Figures">What was measured, the unit last in each name.</param>
/// <param name="Cause">Why it failed, where that is known.</param>
/// <param name="Fix">What a person does about it, where that is known.</param>
internal sealed record EvidenceItem(
    string Id,
    EvidenceStatus Status,
    string Seen,
    double Seconds,
    IReadOnlyDictionary<string, double> Figures,
    string? Cause = null,
    string? Fix = null
);

/// <summary>What a step found.</summary>
internal sealed record EvidenceFinding(
    EvidenceStatus Status,
    string Seen,
    IReadOnlyDictionary<string, double> Figures,
    string? Cause = null,
    string? Fix = null
)
{
    public static EvidenceFinding Of(bool passed, string seen, params (string Name, double Value)[] figures) =>
        new(
            passed ? EvidenceStatus.Passed : EvidenceStatus.Failed,
            seen,
            // JSON has no infinity.
            figures
                .Where(figure => double.IsFinite(figure.Value))
                .ToDictionary(figure => figure.Name, figure => figure.Value, StringComparer.Ordinal)
        );

    public static EvidenceFinding NotRun(string why) => new(EvidenceStatus.NotRun, why, NoFigures);

    public static EvidenceFinding NotApplicable(string why) => new(EvidenceStatus.NotApplicable, why, NoFigures);

    public static EvidenceFinding Failed(string seen, string? cause = null, string? fix = null) =>
        new(EvidenceStatus.Failed, seen, NoFigures, cause, fix);

    public EvidenceItem ToItem(string id, TimeSpan took) =>
        new(id, Status, Seen, took.TotalSeconds, Figures, Cause, Fix);

    private static IReadOnlyDictionary<string, double> NoFigures { get; } =
        new Dictionary<string, double>(StringComparer.Ordinal);
}
