using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Hands an owner's order to the agent of the device's node. Who asked is logged.</summary>
public sealed partial class DeviceOrdering(Fleet fleet, FleetPicture picture, ILogger<DeviceOrdering> logger)
{
    public async Task<DeviceInfo> CarryOutAsync(string id, DeviceVerb verb, TimeSpan duration, HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var nodes = await picture.NodesAsync();
        var (node, device) = Find(nodes, id) ?? throw NotFound(id);
        LogOrder(logger, verb, id, context.Connection.RemoteIpAddress);
        var reply = await fleet
            .Node(node.Node)
            .Order(new DeviceOrder(device.Facts.Device.Name, verb, duration))
            .WaitAsync(Limits.SubmitWait, context.RequestAborted);
        var status = reply.Device ?? throw NotFound(id);
        if (reply.Refusal is { } refusal)
        {
            throw new GatewayException(HttpStatusCode.Conflict, "state_conflict", refusal)
            {
                State = JobViews.Word(status.State),
            };
        }
        return await picture.ShowAsync(status, node);
    }

    /// <exception cref="GatewayException">409: without this device the fleet would stand still.</exception>
    public async Task CheckNotTheOnlyOneAsync(string id)
    {
        var nodes = await picture.NodesAsync();
        if (Find(nodes, id) is null)
            throw NotFound(id);
        var others = nodes
            .Where(node => node.State == NodeState.Ready)
            .SelectMany(node => node.Devices)
            .Where(device => device.State == DeviceState.Ready && device.Facts.Device.ToString() != id);
        if (!others.Any())
        {
            throw new GatewayException(
                HttpStatusCode.Conflict,
                "only_device",
                $"{id} is the only device that is ready: without it nothing runs. Force it to rehearse all the same."
            );
        }
    }

    private static (NodeView Node, DeviceStatus Device)? Find(IReadOnlyList<NodeView> nodes, string id)
    {
        foreach (var node in nodes)
        {
            if (node.Devices.FirstOrDefault(device => device.Facts.Device.ToString() == id) is { } found)
                return (node, found);
        }
        return null;
    }

    private static GatewayException NotFound(string id) => GatewayException.NotFound($"No device is called {id}.");

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Verb} {Device}, asked by {Remote}")]
    private static partial void LogOrder(ILogger logger, DeviceVerb verb, string device, IPAddress? remote);
}
