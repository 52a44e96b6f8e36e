using System.Text.Json;
using EgpuFleet.NodeAgent.Hosting;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Keeps the <see cref="CrashMark"/> of each GPU in a file that survives a crash of the machine.</summary>
internal sealed partial class CrashGuard
{
    private readonly Lock gate = new();
    private readonly string file;
    private readonly string boot;
    private readonly ILogger<CrashGuard> log;
    private readonly Dictionary<string, CrashMark> marks;

    /// <param name="boot">This boot of the machine.</param>
    public CrashGuard(string file, string boot, ILogger<CrashGuard> log)
    {
        (this.file, this.boot, this.log) = (file, boot, log);
        marks = Read(file).ToDictionary(mark => mark.Key, mark => mark.Value.AtStart(boot), StringComparer.Ordinal);
    }

    /// <summary>Whether the device must not be opened before its owner has said so.</summary>
    public bool IsTripped(string device)
    {
        lock (gate)
            return MarkOf(device).IsTripped;
    }

    /// <summary>Call it before the device is opened; it returns when that is on the disk.</summary>
    /// <exception cref="IOException">It cannot be noted, and so must not be opened.</exception>
    public void Opening(string device) => Change(device, mark => mark.Opening(boot));

    /// <summary>Call it when the process that had the device open is gone.</summary>
    public void Closed(string device)
    {
        try
        {
            Change(device, mark => mark.Closed());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // At worst a crash is counted that was none; two in a row hold the device, and a person is told.
            LogUnwritten(e, file);
        }
    }

    /// <summary>The owner wants to try again.</summary>
    public void Forgive(string device) => Change(device, mark => mark with { Crashes = 0 });

    private CrashMark MarkOf(string device) => marks.GetValueOrDefault(device, CrashMark.None);

    private void Change(string device, Func<CrashMark, CrashMark> change)
    {
        lock (gate)
        {
            var before = MarkOf(device);
            var after = change(before);
            if (after == before)
                return;
            marks[device] = after;
            DataFolder.WriteDurable(file, JsonSerializer.Serialize(marks, AgentJson.Options));
        }
    }

    private static Dictionary<string, CrashMark> Read(string file)
    {
        if (!File.Exists(file))
            return [];
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, CrashMark>>(File.ReadAllText(file), AgentJson.Options)
                ?? [];
        }
        catch (JsonException)
        {
            // A crash tore it, or it is none of ours: nothing is known.
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} cannot be written")]
    private partial void LogUnwritten(Exception exception, string file);
}
