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
    /// Hands leased shards over and returns at once: for each, in order, null or the refusal, which means that nothing of it
    /// was started. The device computes the items and reports to <see cref="IPoolGrain.Report"/> under each lease's epoch.
    /// Idempotent by lease key.
    /// </summary>
    /// <exception cref="NodeOfflineException">The node is not in the cluster.</exception>
    [Alias("StartShards")]
    Task<Refusal?[]> StartShards(ShardAssignment[] assignments);

    /// <summary>Stops each shard that runs under exactly its lease; nothing is reported for it afterwards.</summary>
    [Alias("StopShards")]
    Task StopShards(LeaseKey[] leases);

    /// <summary>
    /// Fine-tunings under these leases make their states durable and end, without a report; what else runs goes on. Returns
    /// when they have, or it takes too long. The pool gives them away again unless it takes their leases back at once.
    /// </summary>
    [Alias("SettleShards")]
    Task SettleShards(LeaseKey[] leases);

    /// <summary>
    /// Streams one interactive generation; loads the model first when it is not loaded. Leaving the stream cancels the
    /// generation within one token.
    /// </summary>
    /// <exception cref="GenerationException">The request cannot be served; thrown before the first chunk where possible.</exception>
    [Alias("Generate")]
    IAsyncEnumerable<TokenChunk> Generate(GenerateRequest request, CancellationToken cancellationToken = default);

    /// <summary>Makes vectors of texts; loads the model first when it is not loaded. Leaving the stream ends the work.</summary>
    /// <exception cref="GenerationException">As of <see cref="Generate"/>.</exception>
    [Alias("Embed")]
    IAsyncEnumerable<TextVector> Embed(EmbedRequest request, CancellationToken cancellationToken = default);
}
