using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Agents;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Silos;

/// <summary>What the scheduler of one silo says to devices, over the network.</summary>
internal sealed class DeviceCalls(Place silo, Network network, IReadOnlyDictionary<NodeId, Machine> machines)
    : IDeviceCalls
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Task<Refusal?[]> StartShardsAsync(
        DeviceId device,
        ShardAssignment[] assignments,
        CancellationToken cancellationToken
    ) => CallAsync(device, agent => agent.Start(assignments), cancellationToken);

    public Task StopShardsAsync(DeviceId device, LeaseKey[] leases, CancellationToken cancellationToken) =>
        CallAsync(
            device,
            agent =>
            {
                agent.Stop(leases);
                return true;
            },
            cancellationToken
        );

    private async Task<T> CallAsync<T>(DeviceId device, Func<AgentProcess, T> ask, CancellationToken cancellationToken)
    {
        var machine = machines[device.Node];
        try
        {
            return await network.CallAsync(
                silo,
                device.Node.Value,
                () => machine.Agent?.Place,
                Patience,
                // The agent may have died between the arrival and its turn; then nobody is left to run this.
                () => Task.FromResult(ask(machine.Agent!)),
                cancellationToken
            );
        }
        catch (HostGoneException)
        {
            throw new NodeOfflineException(device.Node.Value);
        }
    }
}
