using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>Which fleet a command is about: flag, then environment, then what the data directory says, then the default.</summary>
internal static class Target
{
    public const int DefaultPort = 4780;

    public static string DataDirectory(string? flag, Func<string, string?> environment)
    {
        if (flag is { Length: > 0 })
            return Path.GetFullPath(flag);
        if (environment("EGPUFLEET_DATA") is { Length: > 0 } configured)
            return Path.GetFullPath(configured);
        var applications = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData,
            Environment.SpecialFolderOption.DoNotVerify
        );
        return Path.Combine(applications, OperatingSystem.IsMacOS() ? "EgpuFleet" : "egpufleet");
    }

    /// <exception cref="FleetFailure">The URL is not one.</exception>
    public static Uri Gateway(string? flag, string data, Func<string, string?> environment)
    {
        var text = flag ?? environment("EGPUFLEET_URL");
        if (string.IsNullOrEmpty(text))
            text = FleetFile.Read(new FleetPaths(data).FleetFile)?.Url ?? Local(DefaultPort);
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new FleetFailure($"'{text}' is not an http URL.", "Give one as in --url http://127.0.0.1:4780.", 2);
    }

    public static string Local(int port) => $"http://127.0.0.1:{port}";
}
