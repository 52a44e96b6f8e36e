namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Which files hold pure policy: functions from an immutable picture to a decision value.</summary>
public static class PolicyFiles
{
    private static readonly string[] Names =
    [
        "LeaseBook.cs",
        "JobDecisions.cs",
        "AdmissionPolicy.cs",
        "TenantUsage.cs",
        "Router.cs",
        "OuterStep.cs",
    ];

    public static bool Contains(string path) =>
        path.StartsWith("src/", StringComparison.Ordinal)
        && path.EndsWith(".cs", StringComparison.Ordinal)
        && (
            path.Contains("/Policy/", StringComparison.Ordinal)
            || path.EndsWith("Lifecycle.cs", StringComparison.Ordinal)
            || Names.Contains(Path.GetFileName(path))
        );
}
