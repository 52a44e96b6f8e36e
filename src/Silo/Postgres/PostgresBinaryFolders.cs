using System.Globalization;

namespace EgpuFleet.Silo.Postgres;

/// <summary>Where installations may be, in the order of preference. Folders may be absent or incomplete.</summary>
internal static class PostgresBinaryFolders
{
    private static readonly string[] HomebrewRoots = ["/opt/homebrew/opt", "/usr/local/opt"];

    public static IEnumerable<string> All() =>
        OnPath().Concat(Homebrew()).Concat(Distribution()).Concat(LauncherCache()).Distinct(StringComparer.Ordinal);

    /// <summary>Links are followed: the tools must lie together in the folder that holds the real server.</summary>
    private static IEnumerable<string> OnPath() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "postgres"))
            .Where(File.Exists)
            .Select(postgres => Path.GetDirectoryName(RealPath.Of(postgres))!);

    private static IEnumerable<string> Homebrew() =>
        HomebrewRoots
            .Where(Directory.Exists)
            .SelectMany(root => Directory.EnumerateDirectories(root, "postgresql*"))
            .OrderByDescending(MajorInName)
            .Select(folder => Path.Combine(folder, "bin"));

    private static IEnumerable<string> Distribution()
    {
        const string debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(debian)
            ? Directory.EnumerateDirectories(debian).OrderByDescending(MajorInName)
            : Enumerable.Empty<string>();
        var redHat = Directory.Exists("/usr") ? Directory.EnumerateDirectories("/usr", "pgsql-*") : [];
        return versions.Concat(redHat.OrderByDescending(MajorInName)).Select(folder => Path.Combine(folder, "bin"));
    }

    private static IEnumerable<string> LauncherCache()
    {
        if (Environment.GetEnvironmentVariable("EGPUFLEET_POSTGRES_BIN") is { Length: > 0 } named)
            return Linked(named);
        var root = Path.Combine(UserCache(), "egpufleet", "postgres");
        return Directory.Exists(root)
            ? Directory
                .EnumerateDirectories(root)
                .OrderByDescending(MajorInName)
                .SelectMany(version => Linked(Path.Combine(version, "bin")))
            : [];
    }

    private static IEnumerable<string> Linked(string folder)
    {
        NpmPostgresLinks.Restore(Path.GetFullPath(Path.Combine(folder, "..")));
        return [folder];
    }

    private static string UserCache()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS())
            return Path.Combine(home, "Library", "Caches");
        var configured = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        return string.IsNullOrEmpty(configured) ? Path.Combine(home, ".cache") : configured;
    }

    /// <summary>The first number in the folder's name (<c>postgresql@16</c>, <c>15</c>, <c>17.6.0-beta.1</c>), else 0.</summary>
    private static int MajorInName(string folder)
    {
        var digits = Path.GetFileName(folder).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit);
        return int.TryParse(string.Concat(digits), CultureInfo.InvariantCulture, out var major) ? major : 0;
    }
}
