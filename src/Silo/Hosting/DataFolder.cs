namespace EgpuFleet.Silo.Hosting;

/// <summary>Where the control process keeps what, below the data directory of its fleet.</summary>
public sealed class DataFolder(string root)
{
    /// <summary>The database server's own folder; its parent holds the password and the lock.</summary>
    public string Postgres { get; } = Path.Combine(root, "postgres", "data");

    public string Silo { get; } = Path.Combine(root, "silo");

    /// <summary>Model files, each named by its SHA-256.</summary>
    public string Models { get; } = Path.Combine(root, "silo", "models");

    public string Ports { get; } = Path.Combine(root, "silo", "ports.json");

    /// <summary>Whoever can read this file may enrol a node.</summary>
    public string EnrolmentSecret { get; } = Path.Combine(root, "silo", "enrolment.secret");

    /// <summary>Makes the folders of this process, readable by their owner only.</summary>
    public void Create()
    {
        CreatePrivate(Silo);
        CreatePrivate(Models);
    }

    private static void CreatePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
