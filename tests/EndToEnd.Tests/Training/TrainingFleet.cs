using EgpuFleet.TestKit.Fleet;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>One silo and two agents that train, for tests that take something away from a run and give it back.</summary>
public sealed class TrainingFleet : IAsyncLifetime
{
    public TrainingRig Rig { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Rig = await TrainingRig.StartAsync(
            new RigOptions
            {
                Silos = 1,
                Agents = 2,
                LeaseSeconds = 5,
            },
            TestContext.Current.CancellationToken
        );

    public ValueTask DisposeAsync() => Rig.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class OnTrainingFleet : ICollectionFixture<TrainingFleet>
{
    public const string Name = "training fleet";
}
