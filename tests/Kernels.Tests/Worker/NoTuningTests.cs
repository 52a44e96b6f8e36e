using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Contract;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>An engine without kernels of its own to tune says which one has them.</summary>
[Collection(LlamaEngine.Name)]
public sealed class NoTuningTests(StoriesWorker stories)
{
    [Fact]
    public async Task The_refusal_names_the_engine_that_can()
    {
        var token = TestContext.Current.CancellationToken;
        var client = stories.Client;
        Func<Task>[] asked =
        [
            () => client.TuneAsync(Stories.Hash, seconds: 10, _ => { }, token),
            () => client.UseTuningsAsync([], token),
        ];
        foreach (var ask in asked)
        {
            var refused = await Assert.ThrowsAsync<EngineException>(ask);
            Assert.Equal(EngineErrorClass.InvalidRequest, refused.ErrorClass);
            Assert.Contains("tinygrad", refused.Message, StringComparison.Ordinal);
        }
        Assert.Null((await client.ProbeAsync(token)).TuningClass);
        Assert.Null((await client.StatsAsync(token)).Tuning);
    }
}
