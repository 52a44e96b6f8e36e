using EgpuFleet.Dashboard.Gateway;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Dashboard.Live;

/// <summary>The one picture of the fleet that every viewer shares.</summary>
public sealed class FleetMonitor(OpenGateway gateway, TimeProvider clock, ILogger<FleetMonitor> logger) : IDisposable
{
    public SharedPoll<FleetPicture> Fleet { get; } =
        new(cancellationToken => ReadAsync(gateway, cancellationToken), Limits.FleetPeriod, clock, logger);

    public void Dispose() => Fleet.Dispose();

    private static async Task<FleetPicture> ReadAsync(OpenGateway gateway, CancellationToken cancellationToken)
    {
        var client = gateway();
        var nodes = client.ListNodesAsync(cancellationToken);
        var devices = client.ListDevicesAsync(cancellationToken);
        var models = client.ListModelsAsync(cancellationToken);
        var jobs = client.ListJobsAsync(null, null, Limits.RecentJobs, cancellationToken);
        await Task.WhenAll(nodes, devices, models, jobs);
        var page = await jobs;
        return new FleetPicture(
            [.. (await nodes).Data.OrderBy(node => node.Id, StringComparer.Ordinal)],
            [.. (await devices).Data.OrderBy(device => device.Id, StringComparer.Ordinal)],
            (await models).Data,
            page.Data,
            page.HasMore
        );
    }
}
