namespace EgpuFleet.Silo.Postgres;

/// <summary>The one true name of a path: what the kernel reports as a process's working folder.</summary>
internal static class RealPath
{
    private const int LinksMax = 40;

    /// <summary>Absolute, with every symbolic link on the way followed. Parts that do not exist are kept as given.</summary>
    /// <exception cref="IOException">More than 40 links: a loop.</exception>
    public static string Of(string path)
    {
        var pending = new Stack<string>(Split(Path.GetFullPath(path)));
        var real = "/";
        var links = 0;
        while (pending.TryPop(out var part))
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? "/";
                continue;
            }
            var next = Path.Combine(real, part);
            if (part == "." || new FileInfo(next).LinkTarget is not { } target)
            {
                real = part == "." ? real : next;
                continue;
            }
            if (++links > LinksMax)
                throw new IOException($"Too many symbolic links in {path}.");
            if (Path.IsPathRooted(target))
                real = "/";
            foreach (var piece in Split(target))
                pending.Push(piece);
        }
        return real;
    }

    /// <summary>Last part first, as a stack wants them.</summary>
    private static IEnumerable<string> Split(string path) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse();
}
