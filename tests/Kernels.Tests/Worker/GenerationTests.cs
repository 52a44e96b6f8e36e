using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>One worker with the reference model for all tests of a class.</summary>
public sealed class StoriesWorker : IAsyncLifetime
{
    private WorkerProcess? worker;

    internal WorkerClient Client { get; private set; } = null!;

    internal ModelInfo Model { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _ = Stories.ModelPath;
        worker = WorkerProcess.Start();
        Client = await worker.ConnectAsync(TestContext.Current.CancellationToken);
        Model = await Client.LoadStoriesAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Client is not null)
            await Client.DisposeAsync();
        if (worker is not null)
            await worker.DisposeAsync();
    }
}

public sealed class GenerationTests(StoriesWorker stories) : IClassFixture<StoriesWorker>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private WorkerClient Client => stories.Client;

    [Fact]
    public async Task The_golden_text_is_reproduced_token_for_token()
    {
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens);
        var completion = await Client.CompleteAsync(Stories.Continue("", options), Token);

        Assert.Equal(Stories.Golden, completion.Text);
        Assert.Equal(Stories.GoldenIds, completion.Ids.Take(Stories.GoldenIds.Length));
        Assert.Equal(Enumerable.Range(0, Stories.GoldenTokens), completion.Tokens.Select(token => token.Index));
        Assert.Equal(FinishReason.Length, completion.Last.FinishReason);
        Assert.Equal(new GenerationUsage(1, Stories.GoldenTokens), completion.Last.Usage);
        Assert.True(stories.Model.Exact);
    }
}
