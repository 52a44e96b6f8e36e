using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Nodes that were heard of, together with enrolled ones that were not, and the devices of all.</summary>
public sealed class FleetPicture(Fleet fleet)
{
    public async Task<IReadOnlyList<NodeView>> NodesAsync()
    {
        var heard = await fleet.Pool.GetFleet();
        var known = heard.Select(node => node.Node).ToHashSet();
        var silent =
            from record in await fleet.Nodes.List()
            where !known.Contains(record.Node)
            select new NodeView(record.Node, NodeState.Offline, null, null, [], []);
        return [.. heard.Concat(silent).OrderBy(node => node.Node.Value, StringComparer.Ordinal)];
    }

    public async Task<IReadOnlyList<DeviceInfo>> DevicesAsync()
    {
        var names = await ModelNamesByHashAsync();
        var nodes = await NodesAsync();
        return
        [
            .. nodes
                .SelectMany(node => node.Devices.Select(device => FleetViews.Show(device, node, names)))
                .OrderBy(device => device.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>A device as its node has just told it.</summary>
    public async Task<DeviceInfo> ShowAsync(DeviceStatus device, NodeView node) =>
        FleetViews.Show(device, node, await ModelNamesByHashAsync());

    private async Task<ILookup<string, string>> ModelNamesByHashAsync()
    {
        var models = await fleet.Models.List();
        return models.ToLookup(model => model.Ref.Sha256, model => model.Ref.Name, StringComparer.Ordinal);
    }
}
