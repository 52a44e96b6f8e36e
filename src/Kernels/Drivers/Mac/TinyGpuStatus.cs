namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>What <c>TinyGPU status</c> says; it always ends with status 0, so only its text tells.</summary>
public enum TinyGpuStatus
{
    /// <summary>The app is not there, or says something else.</summary>
    Unknown,
    NotInstalled,
    Activating,
    AwaitingApproval,
    Ready,
}

/// <summary>Reads the text of <c>TinyGPU status</c>. The app reads only the first row of its id, so the rows count more.</summary>
public static class TinyGpuStatusText
{
    public static TinyGpuStatus Parse(string text) =>
        Says(text, "Extension is ready!") ? TinyGpuStatus.Ready
        : Says(text, "Extension awaiting approval.") ? TinyGpuStatus.AwaitingApproval
        : Says(text, "Extension is activating...") ? TinyGpuStatus.Activating
        : Says(text, "Driver extension not installed.") ? TinyGpuStatus.NotInstalled
        : TinyGpuStatus.Unknown;

    private static bool Says(string text, string sentence) => text.Contains(sentence, StringComparison.Ordinal);
}

/// <summary>What is known of a version of TinyGPU's extension.</summary>
public enum TinyGpuVersion
{
    Unknown,

    /// <summary>The version that the public reports which work were made with.</summary>
    KnownGood,

    /// <summary>Older than it: before the reset that needs macOS 13.</summary>
    KnownBad,

    /// <summary>Newer than any report that was read.</summary>
    Newer,
}

/// <summary>Judges versions of TinyGPU's extension.</summary>
public static class TinyGpuVersions
{
    /// <summary>Version and build of the extension that the pinned tinygrad installs.</summary>
    public const string Good = "1.0.0/3";

    private static readonly Version GoodVersion = Comparable(Good)!;

    /// <param name="version">As in the row: <c>1.0.0/3</c>.</param>
    public static TinyGpuVersion Judge(string version) =>
        Comparable(version) is not { } found ? TinyGpuVersion.Unknown
        : found == GoodVersion ? TinyGpuVersion.KnownGood
        : found < GoodVersion ? TinyGpuVersion.KnownBad
        : TinyGpuVersion.Newer;

    /// <summary>Version and build as one version: three numbers and the build.</summary>
    private static Version? Comparable(string text)
    {
        var parts = text.Split('/');
        return
            parts.Length == 2
            && Version.TryParse(parts[0], out var version)
            && version is { Build: >= 0, Revision: < 0 }
            && int.TryParse(parts[1], out var build)
            && build >= 0
            ? new Version(version.Major, version.Minor, version.Build, build)
            : null;
    }
}
