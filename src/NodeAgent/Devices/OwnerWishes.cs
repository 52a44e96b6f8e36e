using System.Text.Json;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>
/// Devices that their owner wants to unplug. Kept in a file: what a person was told is safe to unplug is not opened again by
/// an agent that restarts.
/// </summary>
internal sealed class OwnerWishes(string file)
{
    private readonly Lock gate = new();
    private readonly HashSet<string> ejected = Read(file);

    public bool IsEjected(string device)
    {
        lock (gate)
            return ejected.Contains(device);
    }

    /// <summary>Returns when it is on the disk.</summary>
    public void Set(string device, bool isEjected)
    {
        lock (gate)
        {
            if (isEjected ? ejected.Add(device) : ejected.Remove(device))
                DataFolder.WriteDurable(file, JsonSerializer.Serialize(ejected.Order(), AgentJson.Options));
        }
    }

    private static HashSet<string> Read(string file)
    {
        if (!File.Exists(file))
            return new(StringComparer.Ordinal);
        try
        {
            var names = JsonSerializer.Deserialize<string[]>(File.ReadAllText(file), AgentJson.Options) ?? [];
            return names.ToHashSet(StringComparer.Ordinal);
        }
        catch (JsonException)
        {
            // Not a file of ours: no wish is known.
            return new(StringComparer.Ordinal);
        }
    }
}
