namespace EgpuFleet.Cli.Supervision;

/// <summary>One supervisor a data directory: the lock ends with the process that holds it, however that ends.</summary>
internal static class DataLock
{
    /// <summary>Null when another process holds it.</summary>
    public static FileStream? TryTake(FleetPaths paths)
    {
        try
        {
            return new FileStream(paths.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(paths.Lock))
        {
            return null;
        }
    }

    public static bool IsHeld(FleetPaths paths)
    {
        if (!File.Exists(paths.Lock))
            return false;
        using var taken = TryTake(paths);
        return taken is null;
    }
}
