using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>Who gets the slots, and how they are given back; on a worker with one slot.</summary>
public sealed class SchedulingTests : IAsyncLifetime
{
    private WorkerProcess worker = null!;
    private WorkerClient client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _ = Stories.ModelPath;
        worker = WorkerProcess.Start();
        client = await worker.ConnectAsync(Token);
        await client.LoadStoriesAsync(Token, slots: 1);
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await worker.DisposeAsync();
    }

    [Fact]
    public async Task A_cancelled_stream_gives_its_slot_back()
    {
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var read = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var token in client.GenerateAsync(Stories.Continue(""), cancelling.Token))
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
        await foreach (var token in client.GenerateAsync(Stories.Continue(""), Token))
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
        await using var lagging = client.GenerateAsync(Stories.Continue(""), Token).GetAsyncEnumerator(Token);
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
        await using var running = client.GenerateAsync(Stories.Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        var batch = client.CompleteAsync(Stories.Continue("Tom", new GenerationOptions(MaxTokens: 5)), Token);
        await WaitingAsync(1);
        var request = Stories.Continue("") with { Priority = GenerationPriority.Interactive };
        await using var chat = client.GenerateAsync(request, Token).GetAsyncEnumerator(Token);
        var first = chat.MoveNextAsync().AsTask();
        await WaitingAsync(2);
        await running.DisposeAsync();
        Assert.True(await first);
        Assert.Equal(1, Assert.Single((await client.StatsAsync(Token)).Models).WaitingRequests);
        Assert.False(batch.IsCompleted);
        await chat.DisposeAsync();
        await batch;
    }

    /// <summary>Nobody reads, so the stream pauses long before its end.</summary>
    [Fact]
    public async Task Unloading_ends_running_streams_as_cancelled()
    {
        await using var running = client.GenerateAsync(Stories.Continue(""), Token).GetAsyncEnumerator(Token);
        Assert.True(await running.MoveNextAsync());
        await client.UnloadAsync(Stories.Hash, Token);
        while (running.Current.FinishReason is null)
            Assert.True(await running.MoveNextAsync());
        Assert.Equal(FinishReason.Cancelled, running.Current.FinishReason);
        Assert.Empty((await client.StatsAsync(Token)).Models);
    }

    private async Task WaitingAsync(int requests)
    {
        while (Assert.Single((await client.StatsAsync(Token)).Models).WaitingRequests < requests)
            await Task.Yield();
    }

    private async Task AssertGoldenAsync()
    {
        var options = new GenerationOptions(MaxTokens: Stories.GoldenTokens);
        Assert.Equal(Stories.Golden, (await client.CompleteAsync(Stories.Continue("", options), Token)).Text);
    }
}
