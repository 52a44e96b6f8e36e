using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Placement;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using Orleans.Concurrency;

namespace EgpuFleet.Grains.Tests.Cluster;

/// <summary>A device that answers every prompt with the name of the silo it runs on; one named "stuck" never answers.</summary>
[NodePinned, Reentrant, GrainType("echo-device")]
public sealed class EchoDeviceGrain(ILocalSiloDetails silo) : Grain, IDeviceGrain
{
    public const string Stuck = "stuck";

    public Task<Refusal?[]> StartShards(ShardAssignment[] assignments)
    {
        foreach (var assignment in assignments)
        {
            if (assignment.Lease.Device.Name != Stuck)
                _ = ReportAsync(assignment);
        }
        return Task.FromResult(new Refusal?[assignments.Length]);
    }

    public Task StopShards(LeaseKey[] leases) => Task.CompletedTask;

    public Task SettleShards(LeaseKey[] leases) => Task.CompletedTask;

    public async IAsyncEnumerable<TokenChunk> Generate(
        GenerateRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await Task.Yield();
        yield return new TokenChunk(0, silo.Name, "stop", PromptTokens: 1, CompletionTokens: 1);
    }

    public async IAsyncEnumerable<TextVector> Embed(
        EmbedRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await Task.Yield();
        yield return new TextVector(0, [], Tokens: 1);
    }

    private Task<ReportReply[]> ReportAsync(ShardAssignment work)
    {
        var results = work.Items.Select(item => new ItemResult(
            item.Index,
            item.CustomId,
            silo.Name,
            "stop",
            PromptTokens: 1,
            CompletionTokens: 1,
            ErrorCode: null,
            ErrorMessage: null,
            work.Lease.Device,
            WorkerProcessId: 1,
            work.Lease.Epoch,
            DurationMilliseconds: 1
        ));
        var report = new ShardReport(work.Lease, ShardOutcome.Finished, [.. results], Failure: null);
        return GrainFactory.GetGrain<IPoolGrain>(PoolId.Default.Value).Report([report]);
    }
}
