using System.Text.Json;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Which worker runs on a device, kept on disk so that the next agent finds it.</summary>
/// <param name="Started">Its <see cref="ProcessIdentity"/>.</param>
/// <param name="Socket">Absolute path of its socket.</param>
/// <param name="Executable">What was started.</param>
/// <param name="Settings">What it was told by its environment; null: nothing.</param>
internal sealed record WorkerRecord(
    int ProcessId,
    string Started,
    string Socket,
    string Executable,
    IReadOnlyDictionary<string, string>? Settings = null
)
{
    /// <summary>Whether it is what that command would start: the same engine, on the same device.</summary>
    public bool IsOf(WorkerCommand command) =>
        Executable == command.Executable
        && (Settings?.Count ?? 0) == command.Settings.Count
        && command.Settings.All(setting => Settings!.GetValueOrDefault(setting.Key) == setting.Value);

    public static WorkerRecord? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize<WorkerRecord>(File.ReadAllText(path), AgentJson.Options);
        }
        catch (JsonException)
        {
            // Not a record of ours: there is nothing to adopt, and nothing is signalled.
            return null;
        }
    }

    public void Write(string path) => DataFolder.WritePrivate(path, JsonSerializer.Serialize(this, AgentJson.Options));
}
