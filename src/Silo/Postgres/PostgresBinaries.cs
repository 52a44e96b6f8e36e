using System.Globalization;
using System.Text.RegularExpressions;

namespace EgpuFleet.Silo.Postgres;

/// <summary>One installation: the folder with <c>postgres</c>, <c>pg_ctl</c> and <c>initdb</c>, and its major version.</summary>
public sealed partial record PostgresBinaries(string Directory, int Major)
{
    private static readonly string[] Tools = ["postgres", "pg_ctl", "initdb"];

    public string Postgres => Path.Combine(Directory, "postgres");
    public string Control => Path.Combine(Directory, "pg_ctl");
    public string Initialize => Path.Combine(Directory, "initdb");

    /// <summary>
    /// The first installation that fits, in the order PATH, Homebrew, distribution folders (newest first), the
    /// launcher's npm cache. With <paramref name="major"/> only that major version fits.
    /// </summary>
    /// <exception cref="EmbeddedPostgresException">None fits; the message names the one command to run.</exception>
    public static async Task<PostgresBinaries> FindAsync(int? major, CancellationToken cancellationToken)
    {
        var seen = new List<PostgresBinaries>();
        foreach (var folder in PostgresBinaryFolders.All())
        {
            if (await ProbeAsync(folder, cancellationToken) is not { } found)
                continue;
            if (major is null ? found.Major >= Limits.PostgresMajorMin : found.Major == major)
                return found;
            seen.Add(found);
        }
        throw major is { } wanted && seen.Count > 0
            ? new EmbeddedPostgresException(
                EmbeddedPostgresFault.VersionMismatch,
                $"The data directory belongs to PostgreSQL {wanted}, but only {List(seen)} found. "
                    + $"Run: {InstallCommand(wanted)}"
            )
            : new EmbeddedPostgresException(
                EmbeddedPostgresFault.BinariesMissing,
                $"No PostgreSQL {major?.ToString() ?? $"{Limits.PostgresMajorMin} or newer"} on this machine"
                    + $"{(seen.Count > 0 ? $" (found {List(seen)})" : "")}. Run: {InstallCommand(major)}"
            );
    }

    /// <summary>The installation in exactly this folder, or null where a tool is missing or does not answer.</summary>
    public static async Task<PostgresBinaries?> ProbeAsync(string folder, CancellationToken cancellationToken)
    {
        if (!Tools.All(tool => File.Exists(Path.Combine(folder, tool))))
            return null;
        try
        {
            string[] command = [Path.Combine(folder, "postgres"), "--version"];
            var result = await PostgresCommand.RunAsync(command, Limits.PostgresToolTimeout, cancellationToken);
            var match = VersionPattern().Match(result.Output);
            return result.ExitCode == 0 && match.Success
                ? new PostgresBinaries(folder, int.Parse(match.Groups["major"].ValueSpan, CultureInfo.InvariantCulture))
                : null;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or TimeoutException)
        {
            return null;
        }
    }

    private static string List(List<PostgresBinaries> seen) =>
        string.Join(", ", seen.Select(found => $"{found.Major} ({found.Directory})"));

    private static string InstallCommand(int? major) =>
        OperatingSystem.IsMacOS() ? $"brew install postgresql@{major ?? 17}"
        : File.Exists("/usr/bin/apt-get") ? $"sudo apt-get install -y postgresql{(major is null ? "" : $"-{major}")}"
        : File.Exists("/usr/bin/dnf") ? "sudo dnf install -y postgresql-server"
        : "install PostgreSQL, or set EGPUFLEET_POSTGRES to the connection string of a server";

    [GeneratedRegex(@"\(PostgreSQL\) (?<major>\d{1,3})", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex VersionPattern();
}
