using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Supervision;

/// <summary>Where the programs of this checkout were built; the configuration is that of this program.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();

    public static string Silo => Built("Silo", "EgpuFleet.Silo");

    public static string NodeAgent => Built("NodeAgent", "EgpuFleet.NodeAgent");

    public static string Cli => Path.Combine(AppContext.BaseDirectory, "EgpuFleet.Cli");

    /// <summary>Worker of an engine, where agents have it; the file may be absent.</summary>
    /// <param name="engine">Its folder.</param>
    public static string Worker(string engine, string program) =>
        Path.Combine(Output(Path.Combine(Root, "src", "NodeAgent")), "engines", engine, program);

    /// <summary><c>…/bin/Release/net10.0</c> below a project's folder.</summary>
    public static string Output(string projectFolder)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(projectFolder, "bin", framework.Parent!.Name, framework.Name);
    }

    private static string Built(string project, string program)
    {
        var path = Path.Combine(Output(Path.Combine(Root, "src", project)), program);
        return File.Exists(path)
            ? path
            : throw new FleetFailure($"{program} is not built.", "Run ./fleet, which builds what is missing.");
    }

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("EGPUFLEET_ROOT") is { Length: > 0 } given)
            return Path.GetFullPath(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EgpuFleet.sln")))
                return folder.FullName;
        }
        return Directory.GetCurrentDirectory();
    }
}
