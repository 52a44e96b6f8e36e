using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Placement;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>A device's address in the cluster. It hands everything to the device and does no work on its own turn.</summary>
[NodePinned, Immovable, Reentrant, GrainType("device")]
internal sealed class DeviceGrain(DeviceRegistry registry) : Grain, IDeviceGrain
{
    private LocalDevice? Device => registry.Find(this.GetPrimaryKeyString());

    public Task<Refusal?[]> StartShards(ShardAssignment[] assignments) =>
        Task.FromResult(Device?.Shards.Start(assignments) ?? Array.ConvertAll(assignments, Refusal? (_) => NoDevice()));

    public Task StopShards(LeaseKey[] leases)
    {
        foreach (var lease in leases)
            Device?.Shards.Stop(lease, "the scheduler stopped it");
        return Task.CompletedTask;
    }

    public Task SettleShards(LeaseKey[] leases) =>
        Device?.Shards.SettleAsync(leases, "its owner pauses it") ?? Task.CompletedTask;

    public async IAsyncEnumerable<TokenChunk> Generate(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var device = Device ?? throw new GenerationException("device_not_found", NoDevice().Message, retryable: true);
        await foreach (var chunk in device.GenerateAsync(request, cancellationToken))
            yield return chunk;
    }

    public async IAsyncEnumerable<TextVector> Embed(
        EmbedRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var device = Device ?? throw new GenerationException("device_not_found", NoDevice().Message, retryable: true);
        await foreach (var vector in device.EmbedAsync(request, cancellationToken))
            yield return vector;
    }

    private Refusal NoDevice() =>
        new(RefusalCode.NoMatchingDevice, $"This node has no device '{this.GetPrimaryKeyString()}'.");
}
