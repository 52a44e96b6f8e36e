using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Contract;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

[Collection(TinygradEngine.Name)]
public sealed class AdapterRefusalTests(TinygradWorker tinygrad)
{
    [Fact]
    public async Task Tinygrad_serves_no_adapter_and_says_who_does()
    {
        var token = TestContext.Current.CancellationToken;
        var spec = new LoadSpec(Stories.ModelPath, new string('a', 64), Threads: 1)
        {
            Adapter = new AdapterFile(Stories.ModelPath, Stories.Hash),
        };
        var refusal = await Assert.ThrowsAsync<EngineException>(() => tinygrad.Client.LoadAsync(spec, token));
        Assert.Equal(EngineErrorClass.InvalidRequest, refusal.ErrorClass);
        Assert.Contains(LlamaCppSettings.Engine, refusal.Message, StringComparison.Ordinal);
    }
}
