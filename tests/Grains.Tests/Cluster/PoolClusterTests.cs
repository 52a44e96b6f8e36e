using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Placement;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Tenants;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Tests.Policy;
using EgpuFleet.TestKit.Ledgers;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using Orleans.TestingHost;

namespace EgpuFleet.Grains.Tests.Cluster;

/// <summary>The grains in a real Orleans cluster of two silos, each also a node with a fake device.</summary>
public sealed class PoolClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly InMemoryLedger ledger = new(TimeProvider.System);
    private readonly InProcessTestCluster cluster;

    public PoolClusterTests()
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo(
            (_, silo) =>
            {
                silo.AddFleetGrains();
                silo.AddMemoryGrainStorage(FleetStorage.Name);
                silo.Services.AddSingleton<ILedger>(ledger);
                silo.Services.AddNodePinnedPlacement();
            }
        );
        cluster = builder.Build();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IPoolGrain Pool => cluster.Client.GetGrain<IPoolGrain>(PoolId.Default.Value);

    public async ValueTask InitializeAsync() => await cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task A_job_runs_on_the_node_of_its_lease_and_its_device_reports_to_the_pool()
    {
        var node = NodeOf(cluster.Silos[1]);
        await HeartbeatAsync(node, "cpu0");
        var job = await SubmitAsync(20);

        await UntilAsync(job, JobEventKind.Succeeded);

        var results = await ledger.ReadResultsAsync(job, Token).ToListAsync(Token);
        Assert.Equal(20, results.Count);
        Assert.All(results, result => Assert.Equal(node.Value, result.Text));
    }

    [Fact]
    public async Task A_node_that_leaves_the_cluster_loses_its_lease_and_its_grains_are_offline()
    {
        // The pool itself must stay: the node to stop is the silo that does not host it.
        var host = await cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(Pool, Token);
        var victim = cluster.Silos.Single(silo => !silo.SiloAddress.Equals(host));
        var node = NodeOf(victim);
        await HeartbeatAsync(node, EchoDeviceGrain.Stuck);
        var job = await SubmitAsync(4);
        await UntilAsync(job, JobEventKind.ShardStarted);
        var device = cluster.Client.GetGrain<IDeviceGrain>($"{node}/{EchoDeviceGrain.Stuck}");
        await device.StopShards([]);

        await cluster.StopSiloAsync(victim, Token);

        var requeued = await UntilAsync(job, JobEventKind.ShardRequeued);
        Assert.Contains("gone from the cluster", requeued.Message, StringComparison.Ordinal);
        var offline = await Assert.ThrowsAsync<NodeOfflineException>(() => device.StopShards([]));
        Assert.Equal(node.Value, offline.Node);
        Assert.Equal(NodeState.Offline, Assert.Single(await Pool.GetFleet()).State);
        Assert.Equal(RefusalCode.NoMatchingDevice, (await Pool.ExplainWaiting([job])).GetValueOrDefault(job)?.Code);
    }

    [Fact]
    public async Task Nodes_models_and_tenants_outlive_their_activations()
    {
        var nodes = cluster.Client.GetGrain<INodeDirectoryGrain>(INodeDirectoryGrain.Key);
        var models = cluster.Client.GetGrain<IModelRegistryGrain>(IModelRegistryGrain.Key);
        var tenant = cluster.Client.GetGrain<ITenantGrain>("default");
        var node = new NodeRecord(new NodeId("mini"), "hash-1", DateTimeOffset.UnixEpoch);
        var (old, current) = (Given.Model("m"), Given.Model("m") with { Ref = new ModelRef("m", "sha-new", 5) });
        await nodes.Enrol(node with { CredentialSha256 = "hash-0" });
        await nodes.Enrol(node);
        await models.Add(old);
        await models.Add(current);
        await tenant.SetWeight(2.5);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => tenant.SetWeight(0));

        foreach (var grain in new IGrain[] { nodes, models, tenant })
            await grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle(Token);

        Assert.Equal([node], await nodes.List());
        Assert.Equal(node.Node, await nodes.Authenticate("hash-1"));
        Assert.Null(await nodes.Authenticate("hash-0"));
        Assert.Equal([current], await models.List());
        Assert.Equal(current, await models.Find("m"));
        Assert.Equal(old, await models.FindContent(old.Ref.Sha256));
        Assert.Null(await models.Find("other"));
        Assert.Equal(new TenantRecord(TenantId.Default, 2.5), await tenant.Get());
        Assert.Equal(1, (await cluster.Client.GetGrain<ITenantGrain>("new").Get()).Weight);
    }

    private static NodeId NodeOf(InProcessSiloHandle silo) =>
        new(silo.ServiceProvider.GetRequiredService<ILocalSiloDetails>().Name);

    /// <summary>Says that a node is there, again until the pool has a leader to hear it.</summary>
    private async Task HeartbeatAsync(NodeId node, string device)
    {
        var heartbeat = new NodeHeartbeat(
            new NodeFacts(node, Guid.NewGuid(), "host", "test", "test", "1", ProcessId: 1),
            [
                new DeviceStatus(
                    new DeviceFacts(new DeviceId(node, device), DeviceKind.Cpu, "cpu", "test", 1, 8_000_000_000),
                    DeviceState.Ready,
                    Reason: null,
                    WorkerProcessId: 1,
                    TokensPerSecond: 0,
                    MemoryUsedBytes: 0,
                    LoadedModels: [],
                    RunningShards: [],
                    ActiveSequences: 0
                ),
            ],
            Leaving: false
        );
        while (true)
        {
            try
            {
                await Pool.Heartbeat(heartbeat);
                return;
            }
            catch (PoolUnavailableException)
            {
                Token.ThrowIfCancellationRequested();
            }
        }
    }

    private async Task<JobId> SubmitAsync(int items)
    {
        var model = Given.Model();
        await cluster.Client.GetGrain<IModelRegistryGrain>(IModelRegistryGrain.Key).Add(model);
        var spec = new JobSpec(
            JobId.New(TimeProvider.System.GetUtcNow()),
            TenantId.Default,
            JobKind.Batch,
            model.Ref,
            new GenerationParameters(8, 0, 1, 0, 0, []),
            Priority: 0,
            items,
            TraceParent: null,
            JobRules.Default
        );
        var inputs = Enumerable.Range(0, items).Select(i => new BatchItem(i, $"r-{i}", "Hello", Messages: null));
        await ledger.StageItemsAsync(spec.Id, inputs.ToAsyncEnumerable(), Token);
        var reply = await Pool.Submit(new SubmitRequest(spec, null, null));
        Assert.Equal(SubmitOutcome.Accepted, reply.Outcome);
        return spec.Id;
    }

    private async Task<JobEvent> UntilAsync(JobId job, JobEventKind kind)
    {
        while (true)
        {
            var events = await ledger.ReadEventsAsync(job, 0, 1000, Token);
            if (events.FirstOrDefault(e => e.Kind == kind) is { } found)
                return found;
            await Pool.WaitForEvents(job, events.Count == 0 ? 0 : events[^1].Sequence, Token)
                .WaitAsync(Patience, Token);
        }
    }
}
