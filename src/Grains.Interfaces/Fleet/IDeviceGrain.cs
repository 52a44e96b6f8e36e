using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>
/// One device, on the agent of its node; owns the device's worker process. Key <c>node/device</c>. Pinned to the node,
/// reentrant: no call waits for a GPU on the grain's turn, work goes through a channel to the worker.
/// </summary>
[Alias("fleet.IDevice")]
public interface IDeviceGrain : IGrainWithStringKey
{
    /// <summary>
    /// Hands over a leased shard and returns at once. The device computes the items and reports to
    /// <see cref="IPoolGrain.Report"/> under the lease's epoch. Idempotent by lease key. A refusal means nothing was started.
    /// </summary>
    /// <exception cref="NodeOfflineException">The node is not in the cluster.</exception>
    [Alias("StartShard")]
    Task<Refusal?> StartShard(ShardAssignment assignment);

    /// <summary>Stops a shard if it runs under exactly this lease; nothing is reported for it afterwards.</summary>
    [Alias("StopShard")]
    Task StopShard(LeaseKey lease);

    /// <summary>
    /// Streams one interactive generation; loads the model first when it is not loaded. Leaving the stream cancels the
    /// generation within one token.
    /// </summary>
    /// <exception cref="GenerationException">The request cannot be served; thrown before the first chunk where possible.</exception>
    [Alias("Generate")]
    IAsyncEnumerable<TokenChunk> Generate(GenerateRequest request, CancellationToken cancellationToken = default);
}
