using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// The agent's silo port, chosen free at the first start and kept: an agent that comes back on its port replaces its old
/// incarnation in the cluster at once instead of after a failure detection.
/// </summary>
/// <param name="Silo">A TCP port on the loopback address.</param>
public sealed record AgentPorts(int Silo)
{
    /// <summary>The kept port where it is still free, else a new one.</summary>
    public static AgentPorts ReadOrChoose(string path)
    {
        if (Read(path) is { } kept && IsFree(kept.Silo))
            return kept;
        var chosen = new AgentPorts(AnyFree());
        DataFolder.WritePrivate(path, JsonSerializer.Serialize(chosen, AgentJson.Options));
        return chosen;
    }

    private static AgentPorts? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var ports = JsonSerializer.Deserialize<AgentPorts>(File.ReadAllText(path), AgentJson.Options);
            return ports is { Silo: > 0 and <= ushort.MaxValue } ? ports : null;
        }
        catch (JsonException)
        {
            // A half-written or foreign file is replaced: the port is a convenience, not a secret.
            return null;
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int AnyFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
