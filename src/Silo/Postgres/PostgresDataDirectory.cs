using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EgpuFleet.Silo.Postgres;

/// <summary>
/// A data directory and what lies beside it in its parent: the generated password (0600) and the lock whose holder
/// alone may initialise, start and stop the server. The kernel drops the lock when its holder dies, however it dies.
/// </summary>
internal sealed class PostgresDataDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = Private | UnixFileMode.UserExecute;

    public PostgresDataDirectory(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var parent = System.IO.Path.GetDirectoryName(full);
        if (parent is null)
            throw Unusable($"{full} cannot be a data directory.");
        if (!Directory.Exists(parent))
            Directory.CreateDirectory(parent, PrivateFolder);
        Path = RealPath.Of(full);
    }

    /// <summary>Real path: what the server processes have as their working folder.</summary>
    public string Path { get; }

    public string PasswordFile => Path + ".password";
    public string LogFile => System.IO.Path.Combine(Path, "server.log");
    private string LockFile => Path + ".lock";

    /// <summary>Where a new cluster is made before it is moved into place, so that a crash leaves no half cluster.</summary>
    public string InitializingPath => Path + ".initializing";

    /// <summary>Major version that made the cluster; null before the first start.</summary>
    /// <exception cref="EmbeddedPostgresException">The folder holds something that is not a cluster.</exception>
    public int? Major()
    {
        var file = System.IO.Path.Combine(Path, "PG_VERSION");
        if (File.Exists(file))
        {
            return int.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out var major)
                ? major
                : throw Unusable($"{file} does not name a major version.");
        }
        if (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any())
            throw Unusable(
                $"{Path} is not empty and holds no PostgreSQL cluster. Move it away or choose another folder."
            );
        return null;
    }

    /// <exception cref="EmbeddedPostgresException">Another live process holds it.</exception>
    public FileStream Lock()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            UnixCreateMode = Private,
        };
        try
        {
            return new FileStream(LockFile, options);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException))
        {
            throw new EmbeddedPostgresException(
                EmbeddedPostgresFault.DataDirectoryInUse,
                $"{Path} is in use by another running fleet. Stop that one first, or use another data directory.",
                e
            );
        }
    }

    /// <summary>The password of this directory's server, made at first use.</summary>
    /// <exception cref="EmbeddedPostgresException">A cluster is there but its password is gone.</exception>
    public string Password(bool clusterExists)
    {
        if (File.Exists(PasswordFile))
            return File.ReadAllText(PasswordFile).Trim();
        if (clusterExists)
            throw Unusable($"{PasswordFile} is missing, so the data in {Path} cannot be opened. Restore that file.");
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = Private,
        };
        using var file = new FileStream(PasswordFile, options);
        file.Write(Encoding.ASCII.GetBytes(password));
        file.Flush(flushToDisk: true);
        return password;
    }

    /// <summary>An empty private folder for a new cluster; remains of a crashed attempt go.</summary>
    public void PrepareInitializing()
    {
        if (Directory.Exists(InitializingPath))
            Directory.Delete(InitializingPath, recursive: true);
        Directory.CreateDirectory(InitializingPath, PrivateFolder);
    }

    /// <summary>The new cluster becomes the data directory in one step.</summary>
    public void CommitInitializing()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path);
        Directory.Move(InitializingPath, Path);
    }

    /// <summary>Sets a grown log aside, so that at most two such files exist.</summary>
    public void TrimLog()
    {
        var log = new FileInfo(LogFile);
        if (log.Exists && log.Length > Limits.PostgresLogBytesMax)
            log.MoveTo(LogFile + ".1", overwrite: true);
    }

    public long LogLength() => File.Exists(LogFile) ? new FileInfo(LogFile).Length : 0;

    /// <summary>The last lines that the server logged after byte <paramref name="from"/>.</summary>
    public string LogSince(long from)
    {
        if (!File.Exists(LogFile))
            return "";
        using var log = new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        log.Position = Math.Clamp(from, Math.Max(0, log.Length - Limits.PostgresToolOutputCharsMax), log.Length);
        using var reader = new StreamReader(log);
        return string.Join('\n', reader.ReadToEnd().Trim().Split('\n').TakeLast(Limits.PostgresLogLinesInError));
    }

    public static EmbeddedPostgresException Unusable(string message, Exception? inner = null) =>
        new(EmbeddedPostgresFault.DataDirectoryUnusable, message, inner);
}
