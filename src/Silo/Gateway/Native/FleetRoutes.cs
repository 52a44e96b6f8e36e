using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Nodes and their devices, as the scheduler sees them now.</summary>
public static class FleetRoutes
{
    public static void MapFleet(this IEndpointRouteBuilder routes)
    {
        var nodes = routes.MapGroup(Routes.Nodes).WithTags("fleet");
        nodes.MapGet("", ListNodesAsync).Produces<Page<NodeInfo>>().WithSummary("All enrolled nodes");
        nodes.MapGet("{id}", GetNodeAsync).Produces<NodeInfo>().WithSummary("One node");
        nodes
            .MapGet("{id}/doctor", ExamineAsync)
            .Produces<DoctorInfo>()
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithSummary("Every check of a node, made now by its agent; opens no GPU");
        var devices = routes.MapGroup(Routes.Devices).WithTags("fleet");
        devices.MapGet("", ListDevicesAsync).Produces<Page<DeviceInfo>>().WithSummary("All devices");
        devices.MapGet("{node}/{device}", GetDeviceAsync).Produces<DeviceInfo>().WithSummary("One device");
        DeviceOrderRoutes.MapOrders(devices);
    }

    private static async Task<Page<NodeInfo>> ListNodesAsync(FleetPicture picture)
    {
        var nodes = await picture.NodesAsync();
        return Pages.Of([.. nodes.Select(FleetViews.Show)], node => node.Id);
    }

    private static async Task<NodeInfo> GetNodeAsync(string id, FleetPicture picture)
    {
        var nodes = await picture.NodesAsync();
        return nodes.Where(node => node.Node.Value == id).Select(FleetViews.Show).FirstOrDefault() ?? throw NoNode(id);
    }

    private static async Task<DoctorInfo> ExamineAsync(
        string id,
        Fleet fleet,
        FleetPicture picture,
        CancellationToken cancellationToken
    )
    {
        var nodes = await picture.NodesAsync();
        var node = nodes.FirstOrDefault(known => known.Node.Value == id)?.Node ?? throw NoNode(id);
        return FleetViews.Show(node, await fleet.Node(node).Examine(cancellationToken));
    }

    private static GatewayException NoNode(string id) => GatewayException.NotFound($"No node is called {id}.");

    private static async Task<Page<DeviceInfo>> ListDevicesAsync(FleetPicture picture) =>
        Pages.Of(await picture.DevicesAsync(), device => device.Id);

    private static async Task<DeviceInfo> GetDeviceAsync(string node, string device, FleetPicture picture)
    {
        var id = $"{node}/{device}";
        var devices = await picture.DevicesAsync();
        return devices.FirstOrDefault(known => known.Id == id)
            ?? throw GatewayException.NotFound($"No device is called {id}.");
    }
}
