using Microsoft.Extensions.Hosting;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Brings the devices up while the agent still waits to join. Registered first; <see cref="Joining.Presence"/> ends them.</summary>
internal sealed class DeviceStart(DeviceRegistry devices) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => devices.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => devices.StopAsync();
}
