using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Contract;

/// <summary>Who gets the slots, and how they are given back; on the reference model with one slot, under another name.</summary>
public abstract class SchedulingContract(StoriesWorker engine) : IAsyncLifetime
{
    private static readonly string OneSlot = new('1', 64);

    private WorkerClient client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        client = engine.Client;
        var spec = new LoadSpec(Stories.ModelPath, OneSlot, Threads: 1, Slots: 1);
        await client.LoadAsync(spec, Token);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if ((await client.StatsAsync(Token)).Models.Any(model => model.ContentHash == OneSlot))
            await client.UnloadAsync(OneSlot, Token);
    }

    [Fact]
    public async Task A_cancelled_stream_gives_its_slot_back()
    {
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var read = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var token in client.GenerateAsync(Continue(""), cancelling.Token))
            {
                read++;
                if (token.Index == 5)
                    await cancelling.CancelAsync();
            }
        });
        Assert.Equal(6, read);
        await AssertGoldenAsync();
    }

    [Fact]
    public async Task A_stream_left_early_gives_its_slot_back()
    {
        await foreach (var token in client.GenerateAsync(Continue(""), Token))
        {
            if (token.Index == 3)
                break;
        }
        await AssertGoldenAsync();
    }

    /// <summary>The first stream is not read beyond its first token, so it pauses; others and stats go on.</summary>
    [Fact]
    public async Task A_reader_that_lags_does_not_hold_up_the_connection()
    {
        await using var lagging = client.GenerateAsync(Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await lagging.MoveNextAsync());
        var stats = await client.StatsAsync(Token);
        Assert.Equal(1, stats.RunningGenerations);
        Assert.Equal(WorkerState.Busy, stats.State);

        var text = lagging.Current.Text;
        while (await lagging.MoveNextAsync())
            text += lagging.Current.Text;
        Assert.StartsWith(Stories.Golden, text, StringComparison.Ordinal);
    }

    /// <summary>The chat is not read beyond its first token, so it keeps its slot: whoever waits then came after it.</summary>
    [Fact]
    public async Task Interactive_requests_get_the_next_slot_before_batch_requests()
    {
        await using var running = client.GenerateAsync(Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        var batch = client.CompleteAsync(Continue("Tom", new GenerationOptions(MaxTokens: 5)), Token);
        await WaitingAsync(1);
        var request = Continue("") with { Priority = GenerationPriority.Interactive };
        await using var chat = client.GenerateAsync(request, Token).GetAsyncEnumerator(Token);
        var first = chat.MoveNextAsync().AsTask();
        await WaitingAsync(2);
        await running.DisposeAsync();
        Assert.True(await first);
        await WaitingAsync(1);
        Assert.False(batch.IsCompleted);
        await chat.DisposeAsync();
        await batch;
    }

    /// <summary>Nobody reads, so the stream pauses long before its end.</summary>
    [Fact]
    public async Task Unloading_ends_running_streams_as_cancelled()
    {
        await using var running = client.GenerateAsync(Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        await client.UnloadAsync(OneSlot, Token);
        while (running.Current.FinishReason is null)
            Assert.True(await running.MoveNextAsync());
        Assert.Equal(FinishReason.Cancelled, running.Current.FinishReason);
        Assert.Null(await StatsAsync());
    }

    private static GenerateRequest Continue(string text, GenerationOptions? options = null) =>
        Stories.Continue(text, options) with
        {
            ContentHash = OneSlot,
        };

    private async Task<ModelStats?> StatsAsync() =>
        (await client.StatsAsync(Token)).Models.SingleOrDefault(model => model.ContentHash == OneSlot);

    private async Task WaitingAsync(int requests)
    {
        while ((await StatsAsync())!.WaitingRequests < requests)
            await Task.Yield();
    }

    private async Task AssertGoldenAsync()
    {
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens);
        Assert.Equal(Stories.Golden, (await client.CompleteAsync(Continue("", options), Token)).Text);
    }
}
