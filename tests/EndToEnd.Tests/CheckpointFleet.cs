using System.Net.Http.Headers;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.TestKit.Fleet;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>One silo on its own Postgres, and a node that is enrolled there.</summary>
public sealed class CheckpointFleet : IAsyncLifetime
{
    private readonly NodeId node = new("node-1");

    public FleetRig Rig { get; private set; } = null!;

    /// <summary>Carries the credential of the node.</summary>
    public HttpClient Http { get; private set; } = new();

    public FleetClient Client => new(Http);

    public CheckpointClient Checkpoints => new(Http);

    public async ValueTask InitializeAsync()
    {
        Rig = await FleetRig.StartAsync(new RigOptions { Silos = 1, Agents = 1 }, CancellationToken.None);
        Http = new HttpClient { BaseAddress = Rig.Silos[0].Url };
        var credential = await File.ReadAllTextAsync(Path.Combine(Rig.Folder, node.Value, "node.credential"));
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential.Trim());
    }

    public async Task<TrainingLease> LeaseAsync(CancellationToken cancellationToken) =>
        new(
            await TrainingShard.LeaseAsync(Rig.Postgres.ConnectionString, node, TimeProvider.System, cancellationToken),
            1
        );

    /// <summary>As many leases of one job.</summary>
    public async Task<IReadOnlyList<TrainingLease>> LeaseAsync(int shards, CancellationToken cancellationToken)
    {
        var first = await TrainingShard.LeaseAsync(
            Rig.Postgres.ConnectionString,
            node,
            TimeProvider.System,
            cancellationToken,
            shards
        );
        return [.. Enumerable.Range(0, shards).Select(i => new TrainingLease(first with { Number = i }, 1))];
    }

    /// <summary>The same for a run that trains the model.</summary>
    public async Task<TrainingLease> LeaseAsync(
        ModelRef model,
        TrainParameters train,
        CancellationToken cancellationToken
    ) =>
        new(
            await TrainingShard.LeaseAsync(
                Rig.Postgres.ConnectionString,
                node,
                TimeProvider.System,
                cancellationToken,
                model: model,
                train: train
            ),
            1
        );

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Rig.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class OnCheckpointFleet : ICollectionFixture<CheckpointFleet>
{
    public const string Name = "checkpoint fleet";
}
