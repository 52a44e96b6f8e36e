using EgpuFleet.EndToEnd.Tests;
using EgpuFleet.TestKit;

[assembly: AssemblyFixture(typeof(SharedFleet))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>
/// One fleet of two agents for all tests that leave it as they found it, with the sample model and, where the shared data
/// is present, the reference model registered. Tests that kill things start their own.
/// </summary>
public sealed class SharedFleet : IAsyncLifetime
{
    public const string SampleModel = "tiny-fleet";
    public const string ReferenceModel = "stories260k";

    private FleetUnderTest? _fleet;

    internal FleetUnderTest Fleet => _fleet!;

    public static string ReferenceModelPath =>
        Path.Combine(RepositoryPaths.Shared ?? "", "models", "stories260K", "stories260K.gguf");

    public static void SkipWithoutReferenceModel() =>
        Assert.SkipUnless(File.Exists(ReferenceModelPath), "../shared/models/stories260K is not beside the checkout.");

    public async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        _fleet = await FleetUnderTest.StartAsync(cancellationToken);
        await _fleet.AddModelAsync(
            SampleModel,
            RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"),
            cancellationToken
        );
        if (File.Exists(ReferenceModelPath))
            await _fleet.AddModelAsync(ReferenceModel, ReferenceModelPath, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_fleet is not null)
            await _fleet.DisposeAsync();
    }
}
