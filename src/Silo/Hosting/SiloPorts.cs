using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// The silo's own port on 127.0.0.1: free at first start and kept, so that a restarted silo replaces its dead incarnation
/// at once. Another one is chosen only when somebody else has taken it since.
/// </summary>
public sealed record SiloPorts(int Silo)
{
    public static SiloPorts LoadOrChoose(DataFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (Read(folder.Ports) is { } kept && IsFree(kept.Silo))
            return kept;
        var chosen = new SiloPorts(ChooseFree());
        PrivateFile.Replace(folder.Ports, JsonSerializer.Serialize(chosen, JsonSerializerOptions.Web));
        return chosen;
    }

    /// <summary>Whether 127.0.0.1 has nobody listening on the port.</summary>
    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // As Kestrel does: without it, connections of an earlier run in TIME_WAIT would count as somebody.
        if (!OperatingSystem.IsWindows())
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int ChooseFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static SiloPorts? Read(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var ports = JsonSerializer.Deserialize<SiloPorts>(File.ReadAllText(path), JsonSerializerOptions.Web);
            return ports?.Silo is > 0 and <= ushort.MaxValue ? ports : null;
        }
        catch (JsonException)
        {
            // Cut short by a crash: the next choice replaces it.
            return null;
        }
    }
}
