using System.Text;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>
/// The agent's own folder, readable by its user only. The lock lives as long as the process: two agents on one folder would
/// share a port, a credential and workers.
/// </summary>
public sealed class DataFolder : IDisposable
{
    private readonly FileStream guard;

    private DataFolder(string root, FileStream guard)
    {
        Root = root;
        this.guard = guard;
    }

    public string Root { get; }

    public string CredentialFile => Path.Combine(Root, "node.credential");

    public string PortsFile => Path.Combine(Root, "ports.json");

    public string Models => Path.Combine(Root, "models");

    /// <summary>Which GPUs were open when the machine went down.</summary>
    public string CrashFile => Path.Combine(Root, "crashes.json");

    /// <summary>Which devices their owner wants to unplug.</summary>
    public string EjectedFile => Path.Combine(Root, "ejected.json");

    /// <summary>The folder of one device's worker: its record, socket and log.</summary>
    public string Worker(string device) => Path.Combine(Root, "workers", device);

    /// <summary>Creates the folder where it is missing and takes its lock.</summary>
    /// <exception cref="AgentStartException">Another agent has it, or it cannot be written.</exception>
    public static DataFolder Open(string path)
    {
        var root = Path.GetFullPath(path);
        try
        {
            CreatePrivate(root);
            var taken = new FileStream(
                Path.Combine(root, "agent.lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
            return new DataFolder(root, taken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentStartException(
                $"The data folder '{root}' cannot be used: {e.Message} Stop the other agent, or choose another --data."
            );
        }
    }

    /// <summary>Creates a folder for this user only; an existing one keeps its mode.</summary>
    public static void CreatePrivate(string path) =>
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>Writes a file that only this user can read, whole or not at all.</summary>
    public static void WritePrivate(string path, string text) => Write(path, text, isDurable: false);

    /// <summary>The same, and on the disk when this returns: it is there after a crash of the machine.</summary>
    public static void WriteDurable(string path, string text) => Write(path, text, isDurable: true);

    private static void Write(string path, string text, bool isDurable)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(isDurable);
        }
        File.Move(temporary, path, overwrite: true);
    }

    public void Dispose() => guard.Dispose();
}
