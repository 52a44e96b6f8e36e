using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary>What <c>fleet.json</c> says of a running fleet.</summary>
/// <param name="ReadyAt">When every node was ready for the first time; null while it starts.</param>
internal sealed record FleetState(
    string Url,
    int Agents,
    DateTimeOffset StartedAt,
    DateTimeOffset? ReadyAt,
    ProcessIdentity Supervisor,
    IReadOnlyList<FleetProcess> Processes
);

/// <summary>A child of the supervisor: <c>silo</c> or a node's name.</summary>
internal sealed record FleetProcess(string Name, ProcessIdentity Identity);

/// <summary>Reads and writes <c>fleet.json</c>.</summary>
internal static class FleetFile
{
    /// <summary>Null when there is none, or none that can be read: it is written whole, so that is not ours.</summary>
    public static FleetState? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<FleetState>(File.ReadAllText(path), ApiJson.Options);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static void Write(string path, FleetState state) =>
        PrivateFile.Write(path, JsonSerializer.Serialize(state, ApiJson.Options));
}
