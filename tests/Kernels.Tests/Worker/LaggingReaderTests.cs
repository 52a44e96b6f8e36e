using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Contract;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>The decode loop pauses a slot whose reader lags, and hears when it reads on.</summary>
[Collection(LlamaEngine.Name)]
public sealed class LaggingReaderTests(StoriesWorker engine)
{
    /// <summary>Tokens that may lie ready for a reader: on its side, in the hand of the connection, and before the loop.</summary>
    private const int Ready = Limits.CreditTokens + 1 + Limits.OutputTokens;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_left_alone_until_its_slot_pauses_goes_on_to_its_end()
    {
        var before = await CompletionTokensAsync();
        await using var lagging = engine.Client.GenerateAsync(Stories.Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await lagging.MoveNextAsync());
        while (await CompletionTokensAsync() < before + Ready)
            await Task.Yield();

        var last = lagging.Current;
        for (; await lagging.MoveNextAsync(); last = lagging.Current)
            Assert.Equal(last.Index + 1, lagging.Current.Index);
        Assert.NotNull(last.FinishReason);
        Assert.True(last.Index > Ready);
    }

    private async Task<long> CompletionTokensAsync() =>
        (await engine.Client.StatsAsync(Token))
            .Models.Single(model => model.ContentHash == Stories.Hash)
            .CompletionTokens;
}
