using System.CommandLine;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>Options that every verb understands.</summary>
internal static class CommonOptions
{
    public static Option<string?> Data { get; } =
        new("--data")
        {
            Description = "Which fleet: the folder that holds everything it keeps",
            HelpName = "DIR",
            Recursive = true,
        };

    public static Option<string?> Url { get; } =
        new("--url")
        {
            Description = "Gateway to talk to, instead of the fleet in the data directory",
            HelpName = "URL",
            Recursive = true,
        };

    public static Option<bool> Json { get; } =
        new("--json") { Description = "Print JSON as the API gives it, nothing else", Recursive = true };
}
