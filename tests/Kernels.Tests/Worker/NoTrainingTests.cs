using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Contract;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>An engine that cannot train says so, in both of the first words of training.</summary>
[Collection(LlamaEngine.Name)]
public sealed class NoTrainingTests(StoriesWorker stories)
{
    [Fact]
    public async Task The_refusal_is_typed_and_the_worker_goes_on()
    {
        var token = TestContext.Current.CancellationToken;
        var client = stories.Client;
        var spec = new TrainSpec(
            AppContext.BaseDirectory,
            Stories.Hash,
            Threads: 1,
            TrainMethod.Full,
            Adapter: null,
            RowTokens: 8,
            RowsPerPass: 1,
            new AdamSettings(),
            Seed: 1
        );
        foreach (
            var ask in (Func<Task>[])
                [() => client.EstimateTrainingAsync(spec, token), () => client.OpenTrainingAsync(spec, token)]
        )
        {
            var refused = await Assert.ThrowsAsync<EngineException>(ask);
            Assert.Equal(EngineErrorClass.InvalidRequest, refused.ErrorClass);
            Assert.Contains("does not train", refused.Message, StringComparison.Ordinal);
        }
        Assert.NotNull(await client.StatsAsync(token));
    }
}
