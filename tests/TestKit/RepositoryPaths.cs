namespace EgpuFleet.TestKit;

/// <summary>Where the checkout under test and the optional shared data beside it are.</summary>
public static class RepositoryPaths
{
    /// <summary>The folder that holds <c>EgpuFleet.sln</c>, found upwards from the test binary.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary><c>../shared</c> beside the checkout; null where it is absent. Tests that need it skip visibly then.</summary>
    public static string? Shared { get; } = FindShared();

    /// <summary>Absolute path of a file of the checkout, given relative to its root.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var dir = new DirectoryInfo(AppContext.BaseDirectory); dir is not null; dir = dir.Parent)
        {
            if (File.Exists(Path.Combine(dir.FullName, "EgpuFleet.sln")))
                return dir.FullName;
        }
        throw new DirectoryNotFoundException($"No EgpuFleet.sln above {AppContext.BaseDirectory}.");
    }

    private static string? FindShared()
    {
        var configured = Environment.GetEnvironmentVariable("EGPUFLEET_SHARED");
        var shared = configured ?? Path.GetFullPath(Path.Combine(Root, "..", "shared"));
        return Directory.Exists(shared) ? shared : null;
    }
}
